import { AuditailError } from '../errors.ts';

/** A key of an object, or the index of an array element. */
export type FieldPathSegment = string | number;

const BARE_KEY = /[^\s.[\]'"]+/y;
/** Nine digits at most: far above any array in an event, far below where integers become inexact. */
const INDEX = /(?:0|[1-9]\d{0,8})(?=\])/y;

/**
 * Reads a field path in the forms of fluentd's record_accessor: `objectRef.namespace`, `$.a.b`, `a.b[0]`,
 * `$['annotations']['a.b/c']`. Dots separate bare keys; a key with dots, spaces or quotes is written in brackets and
 * quotes (`'` or `"`), where nothing is escaped and the key ends at the first matching quote before `]`. Indices count
 * from 0.
 *
 * @throws AuditailError `FIELD_PATH` with the position (in characters, from 1) and what was expected there.
 */
export function parseFieldPath(text: string): readonly FieldPathSegment[] {
  const segments: FieldPathSegment[] = [];
  let at = 0;

  const fail = (expected: string): never => {
    const found =
      at < text.length ? `found ${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))}` : 'it ends there';
    throw new AuditailError(
      'FIELD_PATH',
      `field path ${JSON.stringify(text)}: expected ${expected} at character ${at + 1}, but ${found}`,
      { hint: "Write a path as objectRef.namespace, items[0].name, or $['annotations']['a.b/c']." },
    );
  };
  const take = (pattern: RegExp, expected: string): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? fail(expected);
    at += found.length;
    return found;
  };

  if (text[0] === '$') {
    at = 1;
    if (text[1] !== '.' && text[1] !== '[') fail('. or [ after $');
  } else {
    segments.push(take(BARE_KEY, 'a key'));
  }
  while (at < text.length) {
    if (text[at] === '.') {
      at += 1;
      segments.push(take(BARE_KEY, 'a key'));
    } else if (text[at] === '[') {
      at += 1;
      const quote = text[at];
      if (quote === "'" || quote === '"') {
        const close = text.indexOf(`${quote}]`, at + 1);
        if (close === -1) {
          at = text.length;
          fail(`${quote}] to end the key`);
        }
        segments.push(text.slice(at + 1, close));
        at = close + 2;
      } else {
        segments.push(Number(take(INDEX, 'a key in quotes, or an index of at most nine digits, and then ]')));
        at += 1;
      }
    } else {
      fail('. or [');
    }
  }
  return segments;
}
