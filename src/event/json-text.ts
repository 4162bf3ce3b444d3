import { BACKSLASH } from './json-bytes.ts';

/**
 * The text of a valid JSON string whose bytes between the quotes are [start, end): escapes decoded, invalid UTF-8 as
 * U+FFFD, both exactly as `JSON.parse` of the UTF-8 text gives them.
 */
export function decodeString(buf: Buffer, start: number, end: number): string {
  let bits = 0;
  let at = start;
  while (at < end) {
    const byte = buf[at]!;
    if (byte === BACKSLASH) break;
    bits |= byte;
    at += 1;
  }
  if (at < end) return JSON.parse(`"${buf.toString('utf8', start, end)}"`) as string;
  return bits < 0x80 ? buf.toString('latin1', start, end) : buf.toString('utf8', start, end);
}
