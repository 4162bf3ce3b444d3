import type { IssuePath } from './config-error.ts';
import type { Problem } from './problem.ts';
import type { RewriteRule } from './types.ts';
import type { Entry, ValidParts } from './valid-parts.ts';
import type { Validators } from './validators.ts';

/** Checks all text that has a grammar of its own: patterns, field paths, templates, globs, time zones. */
export function syntaxProblems(parts: ValidParts, validators: Validators): Problem[] {
  const problems: Problem[] = [];
  const check = (path: IssuePath, what: string, validate: () => void): void => {
    try {
      validate();
    } catch (error) {
      problems.push({
        path,
        message: `expected ${what}`,
        detail: error instanceof Error ? error.message : String(error),
      });
    }
  };
  for (const rule of parts.rewrite) checkRule(rule, check, validators);
  const missing = parts.rewriteMissing;
  if (missing !== undefined) {
    check(['rewrite_missing'], 'a tag template', () => validators.rewriteTag(missing, { captures: false }));
  }
  for (const { index, value: sink } of parts.sinks) {
    const at = ['sinks', index];
    check([...at, 'match'], 'a tag pattern', () => validators.tagPattern(sink.match));
    check([...at, 'timezone'], 'an IANA time zone', () => checkTimezone(sink.timezone));
    // With a zone that is known to exist, so that a wrong zone and a wrong template are two errors.
    check([...at, 'path'], 'a path template', () => validators.pathTemplate(sink.path, 'UTC'));
  }
  return problems;
}

type Check = (path: IssuePath, what: string, validate: () => void) => void;

function checkRule({ index, value: rule }: Entry<RewriteRule>, check: Check, validators: Validators): void {
  const at = ['rewrite', index];
  check([...at, 'match'], 'a tag pattern', () => validators.tagPattern(rule.match));
  check([...at, 'key'], 'a field path', () => validators.fieldPath(rule.key));
  check([...at, 'pattern'], 'a regular expression', () => validators.regexp(rule.pattern));
  check([...at, 'tag'], 'a tag template', () => validators.rewriteTag(rule.tag, { captures: !rule.invert }));
}

function checkTimezone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch (cause) {
    throw new Error(`expected an IANA time zone such as UTC or Europe/Berlin, found ${JSON.stringify(zone)}`, {
      cause,
    });
  }
}
