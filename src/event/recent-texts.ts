import { decodeString } from './json-text.ts';

/** A power of two. */
const TEXTS = 256;
/** Names are shorter; what is longer is seldom seen again. */
const MAX_BYTES = 64;

/**
 * Texts of strings that were decoded lately, found by their bytes: a namespace comes again and again, and to make its text anew
 * each time costs more than to compare it. A text has one place, which the next one for that place takes: strangers' names
 * cost no more memory than this.
 */
export class RecentTexts {
  readonly #texts = new Array<string | undefined>(TEXTS).fill(undefined);

  /** As {@link decodeString}. */
  decode(buf: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0 || length > MAX_BYTES) return decodeString(buf, start, end);
    const middle = buf[start + (length >>> 1)]!;
    const place = (buf[start]! + 31 * middle + 7 * buf[end - 1]! + 13 * length) & (TEXTS - 1);
    const known = this.#texts[place];
    if (known !== undefined && known.length === length && isText(known, buf, start)) return known;
    const text = decodeString(buf, start, end);
    this.#texts[place] = text;
    return text;
  }
}

/**
 * Whether each byte is the text's code unit there. So they are of a text of ASCII without escapes; any other has fewer code
 * units than bytes, or a U+FFFD in place of a byte.
 */
function isText(text: string, buf: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== buf[start + i]) return false;
  return true;
}
