import { setFlagsFromString } from 'node:v8';
import { AuditailError } from '../errors.ts';

// V8's second engine takes time in proportion to the text (https://v8.dev/blog/non-backtracking-regexp). The first flag
// lets V8 change over to it when an expression backtracks too much; the second adds the flag `l`, with which V8 says
// whether an expression is one that the engine can run. Both have to be set before an expression is compiled.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
setFlagsFromString('--enable-experimental-regexp-engine');

/** A quantifier without limit, or an expression that is not bound to the start, has 2^10 choices on 1024 characters. */
const VALUE_BITS = 10;

/** 2^22 attempts are some ten milliseconds. */
const MAX_BITS = 22;

/**
 * An escape, a class, the opening of a group, or a quantifier with the bracket before it; then any character. The
 * first three are there so that nothing inside of them is taken for something else.
 */
const TOKENS = /\\.|\[(?:\\.|[^\]\\])*\]|\(\?(?:<?[=!]|<[^>]*>|[a-z-]*:)|(\)?)([*+?]|\{(\d+)(?:(,)(\d*))?\})\??|./gs;

/** Characters of an expression. V8 compiles when it is first used, and then fails on one of some thousand groups. */
const MAX_SOURCE = 4096;

/** A regular expression whose time on any text of at most 1024 characters is a matter of milliseconds. */
export interface LinearPattern {
  /** Number of capture groups. */
  readonly groups: number;
  /** The groups of the first match, '' for one that took no part in it; undefined when nothing matches. */
  exec(text: string): readonly string[] | undefined;
}

/**
 * Compiles JavaScript regular expression source that attackers' values will be matched against. `.` also takes line
 * feeds: what a value holds must not make it look as if it were missing.
 *
 * V8's linear engine takes everything but lookahead, backreferences, changed flags and counts above 16. Expressions with
 * those are accepted when an estimate says that they can hardly backtrack: few quantifiers, and no repeated group.
 * Throws `PATTERN` for any other, and for what is no regular expression.
 */
export function compilePattern(source: string): LinearPattern {
  if (source.length > MAX_SOURCE) {
    throw new AuditailError('PATTERN', `a regular expression has at most ${MAX_SOURCE} characters`, {
      hint: `This one has ${source.length}: split it into several rules`,
    });
  }
  let regexp: RegExp;
  try {
    regexp = new RegExp(source, 's');
    regexp.exec('');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^.*: /s, '') : String(cause);
    throw new AuditailError('PATTERN', `'${source}' is no regular expression: ${reason}`, {
      hint: "Write it as in JavaScript, without '/' around it",
    });
  }
  if (!runsInLinearTime(source) && !hardlyBacktracks(source)) {
    throw new AuditailError('PATTERN', `'${source}' could take very long on a value that an attacker chose`, {
      hint:
        'With lookahead, (?i:…) or counts over 16 at most two *, + or {n,m} are possible, and none behind a group; ' +
        'backreferences are not. Split it into several rules, or use invert',
    });
  }
  // With an empty alternative it matches the empty text, and the match has an entry for each group.
  const groups = new RegExp(`${source}|`, 's').exec('')!.length - 1;
  return {
    groups,
    exec: (text) => {
      const match = regexp.exec(text);
      return match === null ? undefined : match.slice(1).map((group) => group ?? '');
    },
  };
}

function runsInLinearTime(source: string): boolean {
  try {
    new RegExp(source, 'sl');
    return true;
  } catch {
    return false;
  }
}

/**
 * Estimates, from the tokens of a valid expression, in how many ways it can be tried on a text: each choice multiplies
 * them. Repeated groups and backreferences are not estimated but refused.
 */
function hardlyBacktracks(source: string): boolean {
  let bits = source.startsWith('^') && !source.includes('|') ? 0 : VALUE_BITS;
  for (const [token, group, quantifier, least, comma, most] of source.matchAll(TOKENS)) {
    if (token === '|') bits += 1;
    if (/^\\[1-9k]/.test(token)) return false;
    if (quantifier === undefined) continue;
    if (quantifier !== '?' && group === ')') return false;
    if (quantifier === '?') bits += 1;
    else if (least === undefined || (comma !== undefined && most === '')) bits += VALUE_BITS;
    else if (comma !== undefined) bits += Math.min(VALUE_BITS, Math.ceil(Math.log2(Number(most) - Number(least) + 1)));
  }
  return bits <= MAX_BITS;
}
