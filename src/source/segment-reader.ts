import { crc32 } from 'node:zlib';
import { contentHash, HEAD_BYTES, readHead, skipNulls } from './head.ts';
import type { LineHandler } from './line-handler.ts';
import { ANCHOR_BYTES, type Segment } from './segment.ts';
import { readFully, type SegmentFile } from './segment-file.ts';

/** Content bytes a step reads: large enough that a system call costs nothing, small enough to keep streams fair. */
export const CHUNK_BYTES = 1024 * 1024;

/** A buffer that grew for a long line beyond this is not kept. */
const KEPT_BUFFER_BYTES = 4 * CHUNK_BYTES;

const NEWLINE = 0x0a;

/**
 * `lines`: something was taken, there may be more. `end`: all whole lines were taken. `changed`: the content before
 * the position is not what was read there; the file was cut back, truncated or replaced.
 */
export type ReadOutcome = 'lines' | 'end' | 'changed';

type OpenSegment = Segment & { file: SegmentFile };

/**
 * Takes a segment's lines in steps of one chunk. Each chunk is read together with the bytes before it, which must
 * still be those that were read before: a truncation between two reads cannot go unseen.
 */
export class SegmentReader {
  readonly #handler: LineHandler;
  readonly #maxLineBytes: number;
  #buffer = Buffer.allocUnsafeSlow(ANCHOR_BYTES + CHUNK_BYTES);

  constructor(handler: LineHandler, maxLineBytes: number) {
    this.#handler = handler;
    this.#maxLineBytes = maxLineBytes;
  }

  async step(segment: OpenSegment): Promise<ReadOutcome> {
    if (segment.searchedTo > segment.position) return this.#searchOn(segment);
    for (let want = CHUNK_BYTES; ; want = Math.min(want * 2, this.#maxLineBytes + 1)) {
      const chunk = await this.#readChunk(segment, want);
      if (chunk === undefined) return 'changed';
      const outcome = this.#takeLines(segment, chunk);
      if (outcome !== undefined) return outcome;
      if (want > this.#maxLineBytes) {
        segment.searchedTo = segment.position + chunk.end - chunk.start;
        return 'lines';
      }
    }
  }

  /**
   * Takes the last line of a segment that will not grow any more, though it has no newline. Only up to the end that the
   * last step met: what comes behind it after all may be whole lines.
   */
  async finish(segment: OpenSegment): Promise<ReadOutcome> {
    const { endAt } = segment;
    const length = endAt - segment.position;
    if (length > this.#maxLineBytes) return this.#takeLongLine(segment, endAt, endAt);
    const chunk = await this.#readChunk(segment, length);
    if (chunk === undefined) return 'changed';
    const { buffer, start, end } = chunk;
    if (end > start) this.#handler.line(segment, buffer, start, end, segment.position);
    segment.advance(segment.position + end - start, buffer.subarray(0, end));
    return 'end';
  }

  /** Whether the content before the position is still what was read there. */
  async isIntact(segment: OpenSegment): Promise<boolean> {
    return (await this.#readChunk(segment, HEAD_BYTES)) !== undefined;
  }

  /** Reads `want` bytes at the position, with those before it; undefined when those are not the ones that were there. */
  async #readChunk(
    segment: OpenSegment,
    want: number,
  ): Promise<{ buffer: Buffer; start: number; end: number; atEnd: boolean } | undefined> {
    const overlap = Math.min(ANCHOR_BYTES, segment.position);
    const buffer = this.#bufferOf(overlap + want);
    const end = await readFully(segment.file, segment.position - overlap, buffer, overlap + want);
    if (end < overlap) return undefined;
    const isUnchanged = overlap > 0 ? endsAsRead(segment, buffer, overlap) : await beginsAsSeen(segment);
    if (!isUnchanged || !(await this.#isStillThere(segment, overlap))) return undefined;
    segment.sizeSeen = Math.max(segment.sizeSeen, segment.position + end - overlap);
    return { buffer, start: overlap, end, atEnd: end < overlap + want };
  }

  /**
   * Looks once more at the bytes before the position, after the chunk was read: reading takes several calls, and a
   * writer without O_APPEND goes on at its old offset when its log is truncated between two of them.
   */
  async #isStillThere(segment: OpenSegment, overlap: number): Promise<boolean> {
    if (overlap === 0 || segment.file.gzip) return true;
    const before = Buffer.alloc(overlap);
    const length = await readFully(segment.file, segment.position - overlap, before, overlap);
    return length === overlap && endsAsRead(segment, before, overlap);
  }

  /** Undefined: the chunk is full and holds no whole line. */
  #takeLines(
    segment: OpenSegment,
    chunk: { buffer: Buffer; start: number; end: number; atEnd: boolean },
  ): ReadOutcome | undefined {
    const { buffer, start, end } = chunk;
    const base = segment.position - start;
    const digests = segment.isFresh ? segment.digests : undefined;
    let at = start;
    for (;;) {
      const begin = skipNulls(buffer, at, end);
      const newline = begin < end ? buffer.indexOf(NEWLINE, begin) : -1;
      const whole = newline >= 0 && newline < end;
      if (begin > at) this.#handler.nulls(segment, begin - at);
      if (!whole) {
        // NULs are no line: the position moves past them at once, or a run of gigabytes would never fit a buffer.
        if (begin > at) digests?.add(buffer, at, begin);
        at = begin;
        break;
      }
      if (newline - begin > this.#maxLineBytes) {
        if (begin > at) digests?.add(buffer, at, begin);
        if (begin > start) segment.advance(base + begin, buffer.subarray(0, begin));
        // No newline comes before that: the search goes on there, and takes the line in pieces.
        segment.searchedTo = segment.position + this.#maxLineBytes;
        return 'lines';
      }
      this.#handler.line(segment, buffer, begin, newline, base + begin);
      digests?.add(buffer, at, newline + 1);
      at = newline + 1;
    }
    if (at > start) {
      segment.advance(base + at, buffer.subarray(0, at));
      return 'lines';
    }
    if (!chunk.atEnd) return undefined;
    segment.endAt = base + end;
    return 'end';
  }

  /** Looks for the newline of a line that is longer than the buffer may be; nothing of it is kept meanwhile. */
  async #searchOn(segment: OpenSegment): Promise<ReadOutcome> {
    if (!(await this.isIntact(segment))) return 'changed';
    const buffer = this.#bufferOf(CHUNK_BYTES);
    const length = await segment.file.read(segment.searchedTo, buffer, 0, CHUNK_BYTES);
    if (length === 0) {
      segment.endAt = segment.searchedTo;
      return 'end';
    }
    segment.sizeSeen = Math.max(segment.sizeSeen, segment.searchedTo + length);
    const newline = buffer.subarray(0, length).indexOf(NEWLINE);
    if (newline < 0) {
      segment.searchedTo += length;
      return 'lines';
    }
    const end = segment.searchedTo + newline;
    return this.#takeLongLine(segment, end, end + 1);
  }

  async #takeLongLine(segment: OpenSegment, end: number, next: number): Promise<ReadOutcome> {
    const offset = segment.position;
    const line = await this.#handler.longLine(segment, offset, end - offset);
    let crc = 0;
    for (let at = offset; at < end; ) {
      const buffer = this.#bufferOf(CHUNK_BYTES);
      const length = await segment.file.read(at, buffer, 0, Math.min(CHUNK_BYTES, end - at));
      // Cut back under our hands: what was taken is evidence all the same, and the next step finds the change.
      if (length === 0) break;
      crc = crc32(buffer.subarray(0, length), crc);
      await line.piece(buffer, 0, length);
      at += length;
    }
    await line.end();
    if (segment.isFresh && next > end) segment.digests.addDigest(next - offset, crc32('\n', crc));
    const tail = Buffer.alloc(Math.min(ANCHOR_BYTES, next));
    await readFully(segment.file, next - tail.length, tail, tail.length);
    segment.advance(next, tail);
    return 'lines';
  }

  #bufferOf(size: number): Buffer {
    const kept = ANCHOR_BYTES + CHUNK_BYTES;
    if (size > this.#buffer.length || (this.#buffer.length > KEPT_BUFFER_BYTES && size <= kept)) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(size, kept));
    }
    return this.#buffer;
  }
}

/** Of a segment that nothing was read of, the head must be there: an empty file, or one of NULs, was truncated. */
async function beginsAsSeen(segment: OpenSegment): Promise<boolean> {
  return (await readHead(segment.file, { complete: true }))?.hash === segment.head;
}

function endsAsRead(segment: Segment, buffer: Buffer, overlap: number): boolean {
  const tail = segment.tail;
  if (tail !== undefined) return buffer.compare(tail, 0, tail.length, 0, overlap) === 0;
  const { expected } = segment;
  return expected === undefined || contentHash(buffer.subarray(overlap - expected.length, overlap)) === expected.hash;
}
