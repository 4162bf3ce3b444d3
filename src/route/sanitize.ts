import type { Sanitizer } from '../config/types.ts';

/** What stands for a value that cannot be a name. It begins with `_`, so it is nobody's namespace. */
export const INVALID = '_invalid';

/** RFC 1123 section 2.1 and RFC 1035 section 2.3.4, as Kubernetes' validation of namespace names applies them. */
const MAX_LABEL_LENGTH = 63;

/** Bytes of one encoded capture in a tag. */
const MAX_CAPTURE_BYTES = 128;

const UTF8 = new TextEncoder();
const ESCAPES = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);

/** Whether `text` is a DNS-1123 label: 1 to 63 of `a-z`, `0-9` and `-`, no `-` at either end. */
export function isDns1123Label(text: string): boolean {
  const last = text.length - 1;
  if (last < 0 || last >= MAX_LABEL_LENGTH) return false;
  for (let at = 0; at <= last; at += 1) {
    const code = text.charCodeAt(at);
    const alphanumeric = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
    if (!alphanumeric && (code !== 0x2d || at === 0 || at === last)) return false;
  }
  return true;
}

/**
 * Makes one part of a tag of a captured value, which is an attacker's text.
 *
 * With `dns1123` a value that is no DNS-1123 label becomes `_invalid`. Without, everything outside `[A-Za-z0-9_-]` is
 * percent-encoded as UTF-8, and the result is cut at 128 bytes between two characters. A leading `_` is encoded too, so
 * that no value can pass for `_none` or another reserved name. An empty value becomes `_invalid`.
 */
export function sanitizeCapture(value: string, sanitizer: Sanitizer | undefined): string {
  if (sanitizer === 'dns1123') return isDns1123Label(value) ? value : INVALID;
  if (value === '') return INVALID;
  let encoded = '';
  for (const character of value) {
    const plain = encoded === '' ? isPlain(character) && character !== '_' : isPlain(character);
    const piece = plain ? character : percentEncode(character);
    if (encoded.length + piece.length > MAX_CAPTURE_BYTES) break;
    encoded += piece;
  }
  return encoded;
}

/** `text` as percent-encoded UTF-8; a lone surrogate becomes U+FFFD. */
export function percentEncode(text: string): string {
  let encoded = '';
  for (const byte of UTF8.encode(text)) encoded += ESCAPES[byte];
  return encoded;
}

function isPlain(character: string): boolean {
  if (character.length !== 1) return false;
  const code = character.charCodeAt(0);
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code === 0x2d
  );
}
