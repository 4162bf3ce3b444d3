/** Characters of what a receiver said that a reason shows. */
const MAX_EXCERPT = 300;

/** Bytes that are looked at for those characters. */
const MAX_LOOKED_AT = 4096;

/** White space, control and formatting characters: what could forge a log line or turn the writing direction. */
const UNPRINTABLE = /[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/** Replaces secrets in a text that a receiver may have echoed. */
export type Redact = (text: string) => string;

/** What a receiver said, as one line of at most 300 characters without control characters and secrets. */
export function reasonText(said: string | Buffer, redact: Redact): string {
  const text = typeof said === 'string' ? said : said.toString('utf8', 0, MAX_LOOKED_AT);
  // Before it is cut: of a secret that stands at the cut a part would be left.
  const line = redact(text.slice(0, MAX_LOOKED_AT)).replaceAll(UNPRINTABLE, ' ').trim();
  const characters = [...line];
  return characters.length <= MAX_EXCERPT ? line : `${characters.slice(0, MAX_EXCERPT - 1).join('')}…`;
}
