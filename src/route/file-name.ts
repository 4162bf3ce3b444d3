import { createHash } from 'node:crypto';

/** NAME_MAX of the file systems that Linux keeps logs on. */
const MAX_NAME_BYTES = 255;

const KNOWN_EXTENSIONS = ['.log', '.json', '.ndjson', '.gz', '.zst'];

/** More in a row do not describe a file, they are part of a hostile name. */
const MAX_EXTENSIONS = 4;

/** Splits a file name before its known extensions: `a.b.log.gz` into `a.b` and `.log.gz`. */
export function splitExtensions(name: string): { stem: string; extensions: string } {
  let stem = name;
  for (let count = 0; count < MAX_EXTENSIONS; count += 1) {
    const extension = KNOWN_EXTENSIONS.find((known) => stem.endsWith(known));
    if (extension === undefined) break;
    stem = stem.slice(0, -extension.length);
  }
  return { stem, extensions: name.slice(stem.length) };
}

/**
 * `stem + tail` when that is at most 255 bytes. Otherwise a prefix of the stem, `~` and the first 16 hex digits of the
 * stem's SHA-256, then the tail: different stems stay different files.
 */
export function fitName(stem: string, tail: string): string {
  if (Buffer.byteLength(stem) + Buffer.byteLength(tail) <= MAX_NAME_BYTES) return stem + tail;
  const mark = `~${createHash('sha256').update(stem).digest('hex').slice(0, 16)}`;
  let room = MAX_NAME_BYTES - Buffer.byteLength(mark + tail);
  let prefix = '';
  for (const character of stem) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    prefix += character;
  }
  return prefix + mark + tail;
}
