import { type ContainerLine, STDERR, STDOUT } from './container-line.ts';
import { SPACE } from './json-bytes.ts';
import { parseTimestamp } from './timestamp.ts';

const COLON = 0x3a;
const FULL = 0x46;
const PARTIAL = 0x50;

const STREAMS: readonly (readonly [Buffer, number])[] = [
  [Buffer.from('stdout '), STDOUT],
  [Buffer.from('stderr '), STDERR],
];

/**
 * A line as CRI runtimes (containerd, CRI-O) write it: `2026-11-20T15:04:05.123456789Z stdout F content`. The time is
 * RFC 3339, the first of the tags, which are divided by colons, is `P` for a part and `F` for a whole line or its end.
 * (kubernetes/cri-client, `pkg/logs`: parseCRILog.)
 */
export class CriLine implements ContainerLine {
  readonly isVerbatim = true;
  stream = STDOUT;
  isPartial = false;
  start = 0;
  end = 0;
  errorOffset = 0;
  errorReason = '';
  #lineStart = 0;

  read(buffer: Buffer, start: number, end: number): boolean {
    this.#lineStart = start;
    const timeEnd = spaceIn(buffer, start, end);
    if (parseTimestamp(buffer, start, timeEnd) === undefined)
      return this.#fail(start, 'expected the time of a CRI log');
    const streamStart = Math.min(end, timeEnd + 1);
    const stream = STREAMS.find(([name]) => startsWith(buffer, streamStart, end, name));
    if (stream === undefined) return this.#fail(streamStart, 'expected stdout or stderr');
    const tags = streamStart + stream[0].length;
    const tag = buffer[tags];
    const behind = buffer[tags + 1];
    const isAlone = tags + 1 >= end || behind === SPACE || behind === COLON;
    if (tags >= end || (tag !== FULL && tag !== PARTIAL) || !isAlone) return this.#fail(tags, 'expected P or F');
    this.stream = stream[1];
    this.isPartial = tag === PARTIAL;
    // A line without content may have lost the space behind its tags.
    this.start = Math.min(end, spaceIn(buffer, tags, end) + 1);
    this.end = end;
    return true;
  }

  time(buffer: Buffer): number | undefined {
    return parseTimestamp(buffer, this.#lineStart, spaceIn(buffer, this.#lineStart, this.end));
  }

  decode(buffer: Buffer, start: number, end: number, target: Buffer, at: number): number {
    return at + buffer.copy(target, at, start, end);
  }

  place(_buffer: Buffer, start: number, end: number, index: number): number {
    return Math.min(end, start + index);
  }

  #fail(at: number, reason: string): false {
    this.errorOffset = at;
    this.errorReason = reason;
    return false;
  }
}

/** The first space from `at`, or `end`. */
function spaceIn(buffer: Buffer, at: number, end: number): number {
  while (at < end && buffer[at] !== SPACE) at += 1;
  return at;
}

function startsWith(buffer: Buffer, at: number, end: number, text: Buffer): boolean {
  return at + text.length <= end && buffer.compare(text, 0, text.length, at, at + text.length) === 0;
}
