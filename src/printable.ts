/**
 * Text that a terminal only shows: control characters, which could move its cursor or worse, are written as `\xNN`. C1
 * controls and the characters that turn the direction of text around are among them.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/**
 * As {@link printable}, in one line: also tabs, newlines and characters that nobody sees (joiners, marks of direction) are
 * harmless, so that a terminal puts each character where its width says.
 */
export function printableLine(text: string): string {
  return printable(text.toWellFormed().replaceAll(/[\t\n\u2028\u2029]/g, ' ')).replaceAll(
    /\p{Cf}/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
