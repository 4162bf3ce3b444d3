import { type ContainerLine, STDERR, STDOUT } from './container-line.ts';
import { BACKSLASH } from './json-bytes.ts';
import { EventScanner, MISSING, STRING } from './scanner.ts';
import { parseTimestamp } from './timestamp.ts';

const [LOG, STREAM, TIME] = [0, 1, 2] as const;

const NEWLINE = Buffer.from('\\n');
const NEWLINE_CODE = Buffer.from('\\u000a');

const LOWER_U = 0x75;
/** Bytes of `\u0000`. */
const CODE_LENGTH = 6;

/** By the byte behind a backslash: the byte that both stand for. */
const ESCAPED = new Uint8Array(256);
for (const [name, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'])
  ESCAPED[name!.charCodeAt(0)] = meaning!.charCodeAt(0);

const REPLACEMENT = 0xfffd;

/**
 * A line as Docker's json-file driver writes it: `{"log":"content\n","stream":"stdout","time":"…"}`, perhaps with
 * `attrs`. What does not end in a newline is a part of a line: Docker cuts lines at 16 KiB.
 * (moby, `daemon/logger/jsonfilelog`.)
 */
export class DockerLine implements ContainerLine {
  readonly isVerbatim = false;
  stream = STDOUT;
  isPartial = false;
  start = 0;
  end = 0;
  errorOffset = 0;
  errorReason = '';
  readonly #scanner = new EventScanner(['log', 'stream', 'time']);

  read(buffer: Buffer, start: number, end: number): boolean {
    const scanner = this.#scanner;
    if (!scanner.scan(buffer, start, end)) return this.#fail(scanner.errorOffset, scanner.errorReason);
    const { kinds, starts, ends } = scanner;
    if (kinds[LOG] !== STRING) return this.#fail(this.#valueAt(LOG, start), 'not a line of a Docker log: no log');
    const stream = scanner.text(STREAM);
    if (stream !== 'stdout' && stream !== 'stderr')
      return this.#fail(
        this.#valueAt(STREAM, start),
        'not a line of a Docker log: stream is neither stdout nor stderr',
      );
    this.stream = stream === 'stdout' ? STDOUT : STDERR;
    this.start = starts[LOG]!;
    const newline = newlineAtEnd(buffer, this.start, ends[LOG]!);
    this.isPartial = newline === 0;
    this.end = ends[LOG]! - newline;
    return true;
  }

  time(buffer: Buffer): number | undefined {
    const { kinds, starts, ends } = this.#scanner;
    return kinds[TIME] === STRING ? parseTimestamp(buffer, starts[TIME]!, ends[TIME]!) : undefined;
  }

  decode(buffer: Buffer, start: number, end: number, target: Buffer, at: number): number {
    while (start < end) {
      const byte = buffer[start]!;
      if (byte !== BACKSLASH) {
        target[at++] = byte;
        start += 1;
        continue;
      }
      const escaped = buffer[start + 1]!;
      if (escaped !== LOWER_U) {
        target[at++] = ESCAPED[escaped]!;
        start += 2;
        continue;
      }
      const code = codePoint(buffer, start, end);
      start += code > 0xffff ? 2 * CODE_LENGTH : CODE_LENGTH;
      at += putCodePoint(code, target, at);
    }
    return at;
  }

  place(buffer: Buffer, start: number, end: number, index: number): number {
    const decoded = Buffer.alloc(2 * CODE_LENGTH);
    for (let said = 0; start < end; ) {
      const length = escapeLength(buffer, start, end);
      said += length === 1 ? 1 : this.decode(buffer, start, start + length, decoded, 0);
      if (said > index) break;
      start += length;
    }
    return start;
  }

  #valueAt(path: typeof LOG | typeof STREAM, start: number): number {
    return this.#scanner.kinds[path] === MISSING ? start : this.#scanner.starts[path]!;
  }

  #fail(at: number, reason: string): false {
    this.errorOffset = at;
    this.errorReason = reason;
    return false;
  }
}

/** Bytes of the escape that stands for a newline at the end of [start, end), 0 where there is none. */
function newlineAtEnd(buffer: Buffer, start: number, end: number): number {
  for (const escaped of [NEWLINE, NEWLINE_CODE]) {
    const at = end - escaped.length;
    if (at < start || !isEscape(buffer, at, end, escaped)) continue;
    let backslashes = 0;
    while (at - backslashes >= start && buffer[at - backslashes] === BACKSLASH) backslashes += 1;
    // After an even number the last one is itself escaped, and `n` is a letter.
    if (backslashes % 2 === 1) return escaped.length;
  }
  return 0;
}

/** Hexadecimal digits may be upper case. */
function isEscape(buffer: Buffer, at: number, end: number, escaped: Buffer): boolean {
  const last = buffer[end - 1]! | (escaped === NEWLINE_CODE ? 0x20 : 0);
  return buffer.compare(escaped, 0, escaped.length - 1, at, end - 1) === 0 && last === escaped.at(-1);
}

/** Bytes of what is written at `at`: one, or those of an escape. */
function escapeLength(buffer: Buffer, at: number, end: number): number {
  if (buffer[at] !== BACKSLASH) return 1;
  if (buffer[at + 1] !== LOWER_U) return 2;
  return codePoint(buffer, at, end) > 0xffff ? 2 * CODE_LENGTH : CODE_LENGTH;
}

/** The code point of `\uXXXX` at `at`, or of two that are a surrogate pair; a surrogate that is alone is U+FFFD. */
function codePoint(buffer: Buffer, at: number, end: number): number {
  const code = codeUnit(buffer, at);
  if (code < 0xd800 || code > 0xdfff) return code;
  const next = at + CODE_LENGTH;
  if (code > 0xdbff || next + CODE_LENGTH > end || buffer[next] !== BACKSLASH || buffer[next + 1] !== LOWER_U)
    return REPLACEMENT;
  const low = codeUnit(buffer, next);
  if (low < 0xdc00 || low > 0xdfff) return REPLACEMENT;
  return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

function codeUnit(buffer: Buffer, at: number): number {
  return Number.parseInt(buffer.toString('latin1', at + 2, at + CODE_LENGTH), 16);
}

/** Writes a code point as UTF-8, and gives its bytes: always fewer than its escape. */
function putCodePoint(code: number, target: Buffer, at: number): number {
  if (code < 0x80) {
    target[at] = code;
    return 1;
  }
  if (code < 0x800) {
    target[at] = 0xc0 | (code >> 6);
    target[at + 1] = 0x80 | (code & 0x3f);
    return 2;
  }
  if (code < 0x10000) {
    target[at] = 0xe0 | (code >> 12);
    target[at + 1] = 0x80 | ((code >> 6) & 0x3f);
    target[at + 2] = 0x80 | (code & 0x3f);
    return 3;
  }
  target[at] = 0xf0 | (code >> 18);
  target[at + 1] = 0x80 | ((code >> 12) & 0x3f);
  target[at + 2] = 0x80 | ((code >> 6) & 0x3f);
  target[at + 3] = 0x80 | (code & 0x3f);
  return 4;
}
