import { AuditailError } from '../errors.ts';
import { TagAutomaton } from './tag-automaton.ts';

/** Far above any real pattern; it bounds the automaton, whose size is the pattern's. */
const MAX_PATTERN_LENGTH = 4096;

type Complain = (at: number, reason: string, hint: string) => AuditailError;

/**
 * Compiles fluentd's match patterns, separated by white space, into a test of a tag. Any of them may match; a tag that
 * one with a `!` in front of it matches is left out, wherever that one stands.
 *
 * `*` is text without a dot, `**` any text; `a.**` also matches `a`, and `**.a` also matches `a`; `{a,b}` are
 * alternatives, which may hold patterns and nest; `\` takes the next character literally. As in fluentd's
 * `Fluent::GlobMatchPattern` a dot before a brace is a literal dot, so `a.{b,**}` does not match `a`.
 *
 * Throws `TAG_PATTERN` with the position where fluentd would silently take a broken pattern for something else.
 */
export function compileTagPattern(pattern: string): (tag: string) => boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new AuditailError('TAG_PATTERN', `a tag pattern is longer than ${MAX_PATTERN_LENGTH} characters`, {
      hint: 'Use wildcards, or several sinks or rules',
    });
  }
  const words = [...pattern.matchAll(/(!?)(\S*)/g)].filter(([word]) => word !== '');
  const automata = words.map(({ 1: mark, 2: word, index }) => ({
    isExcluded: mark === '!',
    automaton: compileWord(word!, (at, reason, hint) => {
      const where = `tag pattern '${pattern}', character ${index + mark!.length + at + 1}`;
      return new AuditailError('TAG_PATTERN', `${where}: ${reason}`, { hint });
    }),
  }));
  const wanted = automata.filter(({ isExcluded }) => !isExcluded).map(({ automaton }) => automaton);
  const excluded = automata.filter(({ isExcluded }) => isExcluded).map(({ automaton }) => automaton);
  if (wanted.length === 0) {
    const reason = excluded.length === 0 ? 'a tag pattern is empty' : `tag pattern '${pattern}' only leaves tags out`;
    const hint = excluded.length === 0 ? "To match every tag write '**'" : "Put what it takes before it, such as '**'";
    throw new AuditailError('TAG_PATTERN', reason, { hint });
  }
  const matchesOne = (some: readonly TagAutomaton[], tag: string) => some.some((automaton) => automaton.matches(tag));
  return (tag) => matchesOne(wanted, tag) && !matchesOne(excluded, tag);
}

function compileWord(word: string, complain: Complain): TagAutomaton {
  if (word === '') throw complain(0, "nothing follows the '!'", "Write '!a.**', or '\\!' for a literal one");
  if (word.startsWith('/')) {
    throw complain(
      0,
      'regular expressions are not tag patterns',
      "Use '*', '**' and '{a,b}'; '\\/' is a literal slash",
    );
  }
  const automaton = new TagAutomaton();
  const braces: number[] = [];
  // A dot waits for what follows it, because in front of `**` it belongs to the parts that may be missing.
  let dot: number | undefined;
  for (let at = 0; at < word.length; at += 1) {
    const character = word[at]!;
    if (character === '*' && word[at + 1] === '*') {
      if (dot !== undefined) automaton.boundary();
      dot = undefined;
      at += 1;
      if (word[at + 1] === '.') {
        automaton.anyParts();
        at += 1;
      } else {
        automaton.any();
      }
      continue;
    }
    if (dot !== undefined) automaton.literal('.'.charCodeAt(0));
    dot = undefined;
    switch (character) {
      case '.':
        dot = at;
        break;
      case '*':
        automaton.part();
        break;
      case '{':
        braces.push(at);
        automaton.openGroup();
        break;
      case ',':
        if (braces.length === 0) {
          throw complain(at, 'a comma outside of braces', "Write '{a,b}' for alternatives, '\\,' for a literal comma");
        }
        automaton.nextAlternative();
        break;
      case '}':
        if (braces.pop() === undefined) {
          throw complain(at, 'a closing brace without an opening one', "Write '\\}' for a literal brace");
        }
        automaton.closeGroup();
        break;
      case '\\':
        at += 1;
        if (at === word.length) throw complain(at - 1, 'nothing follows the backslash', "Write '\\\\' for a backslash");
        automaton.literal(word.charCodeAt(at));
        break;
      default:
        automaton.literal(word.charCodeAt(at));
    }
  }
  if (braces.length > 0) {
    throw complain(braces.at(-1)!, 'the brace is never closed', 'Alternatives are written {a,b}, without white space');
  }
  if (dot !== undefined) {
    throw complain(dot, 'the pattern ends with a dot', "Append '*' for one more part or '**' for any number");
  }
  return automaton;
}
