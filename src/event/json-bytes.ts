/** The bytes that JSON's grammar (RFC 8259) names, where others than the scanner look for them. */
export const BACKSLASH = 0x5c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The first position from `at` that is not JSON white space, or `end`. */
export function spaceEnd(buf: Buffer, at: number, end: number): number {
  while (at < end) {
    const byte = buf[at];
    if (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB) break;
    at += 1;
  }
  return at;
}
