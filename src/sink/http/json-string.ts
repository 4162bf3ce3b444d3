/**
 * The bytes of a text as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, everything else comes
 * back from `JSON.parse` as it was.
 */
export function jsonString(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('utf8'));
}
