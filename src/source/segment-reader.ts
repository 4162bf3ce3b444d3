import { PieceDigest } from './content-digest.ts';
import type { Chunk, Framing } from './framing.ts';
import { contentHash, HEAD_BYTES, readHead } from './head.ts';
import type { LineHandler, LongLineHandler } from './line-handler.ts';
import { holds } from './resume-point.ts';
import { ANCHOR_BYTES, type Segment } from './segment.ts';
import { readFully, type SegmentFile } from './segment-file.ts';

/** Content bytes a step reads: large enough that a system call costs nothing, small enough to keep streams fair. */
export const CHUNK_BYTES = 1024 * 1024;

/** A chunk, and the bytes before it. */
export const READ_BYTES = ANCHOR_BYTES + CHUNK_BYTES;

/** A buffer that grew for a long line beyond this is not kept. */
const KEPT_BUFFER_BYTES = 4 * CHUNK_BYTES;

const NEWLINE = 0x0a;
const LINE_END = Buffer.from([NEWLINE]);

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
  readonly framing: Framing;
  readonly #handler: LineHandler;
  readonly #maxLineBytes: number;
  #buffer = Buffer.alloc(0);
  /** The handler's memory, during a step. */
  #lent: Buffer | undefined;
  readonly #before = Buffer.alloc(ANCHOR_BYTES);

  constructor(handler: LineHandler, maxLineBytes: number, framing: Framing) {
    this.framing = framing;
    this.#handler = handler;
    this.#maxLineBytes = maxLineBytes;
  }

  async step(segment: OpenSegment): Promise<ReadOutcome> {
    const { memory } = this.#handler;
    this.#lent = memory?.lend();
    try {
      return await this.#step(segment);
    } finally {
      if (this.#lent !== undefined) memory?.takeBack();
      this.#lent = undefined;
    }
  }

  async #step(segment: OpenSegment): Promise<ReadOutcome> {
    if (segment.searchedTo > segment.position) return this.#searchOn(segment);
    for (let want = CHUNK_BYTES; ; want = Math.min(want * 2, this.#maxLineBytes + 1)) {
      const chunk = await this.#readChunk(segment, want);
      if (chunk === undefined) return 'changed';
      const outcome = this.framing.take(segment, chunk);
      if (outcome !== undefined) return outcome;
      if (want > this.#maxLineBytes) {
        this.framing.beginSearch(segment, chunk);
        return 'lines';
      }
    }
  }

  /**
   * Takes the last line of a segment that will not grow any more, though it has no newline. Only up to the end that the
   * last step met: what comes behind it after all may be whole lines.
   *
   * @param tail what {@link tailOf} gave, with what follows it in the next segments; it is taken instead.
   */
  async finish(segment: OpenSegment, tail?: Buffer): Promise<ReadOutcome> {
    const { endAt } = segment;
    const length = endAt - segment.position;
    if (length > this.#maxLineBytes) return this.#takeLongLine(segment, endAt, endAt);
    const chunk = await this.#readChunk(segment, length);
    if (chunk === undefined) return 'changed';
    const { buffer, start, end } = chunk;
    if (tail === undefined) this.framing.takeRest(segment, buffer, start, end);
    else this.framing.takeRest(segment, tail, 0, tail.length);
    segment.advance(segment.position + end - start, buffer.subarray(0, end));
    return 'end';
  }

  /**
   * What {@link finish} would take, with a newline at its end, where the last line of it would go on in the next
   * segment. Undefined where it does not.
   */
  async tailOf(segment: OpenSegment): Promise<Buffer | 'changed' | undefined> {
    const length = segment.endAt - segment.position;
    if (!this.framing.spansSegments || length <= 0 || length > this.#maxLineBytes) return undefined;
    const chunk = await this.#readChunk(segment, length);
    if (chunk === undefined) return 'changed';
    const tail = withNewline(chunk.buffer.subarray(chunk.start, chunk.end));
    return this.framing.isOpenBehind(tail) ? tail : undefined;
  }

  /** A copy of up to `want` bytes at the position; undefined when what is before them is not what was there. */
  async peek(segment: OpenSegment, want: number): Promise<Buffer | undefined> {
    const chunk = await this.#readChunk(segment, want);
    return chunk && Buffer.from(chunk.buffer.subarray(chunk.start, chunk.end));
  }

  /** Whether the content before the position is still what was read there. */
  async isIntact(segment: OpenSegment): Promise<boolean> {
    return (await this.#readChunk(segment, HEAD_BYTES)) !== undefined;
  }

  /** Reads `want` bytes at the position, with those before it; undefined when those are not the ones that were there. */
  async #readChunk(segment: OpenSegment, want: number): Promise<Chunk | undefined> {
    const overlap = Math.min(ANCHOR_BYTES, segment.position);
    const buffer = this.#bufferOf(overlap + want);
    const end = await readFully(segment.file, segment.position - overlap, buffer, overlap + want);
    if (end < overlap) return undefined;
    const isUnchanged = overlap > 0 ? endsAsRead(segment, buffer, overlap) : await beginsAsSeen(segment);
    if (!isUnchanged || !(await this.#isStillThere(segment, overlap))) return undefined;
    const size = segment.position + end - overlap;
    const atEnd = end < overlap + want;
    // What is behind the position may be gone, though what is before it stands.
    if ((atEnd && segment.shrunkTo(size) !== undefined) || !(await hasDropped(segment))) return undefined;
    segment.sees(size);
    return { buffer, start: overlap, end, atEnd };
  }

  /**
   * Looks once more at the bytes before the position, after the chunk was read: reading takes several calls, and a
   * writer without O_APPEND goes on at its old offset when its log is truncated between two of them.
   */
  async #isStillThere(segment: OpenSegment, overlap: number): Promise<boolean> {
    const { file, position } = segment;
    if (overlap === 0 || file.gzip) return true;
    const before = this.#before.subarray(0, overlap);
    if (file.again?.(position - overlap, before) === overlap) return endsAsRead(segment, before, overlap);
    return hasWhatWasRead(segment);
  }

  /** Looks for the end of what is longer than the buffer may be; nothing of it is kept meanwhile. */
  async #searchOn(segment: OpenSegment): Promise<ReadOutcome> {
    if (!(await this.isIntact(segment))) return 'changed';
    for (let want = CHUNK_BYTES; ; want = Math.min(want * 2, this.#maxLineBytes + 1)) {
      const buffer = this.#bufferOf(want);
      const length = await readFully(segment.file, segment.searchedTo, buffer, want);
      segment.sees(segment.searchedTo + length);
      const content = buffer.subarray(0, length);
      const found = this.framing.search(segment, content);
      if (typeof found === 'number') return this.#takeLongLine(segment, found, found + 1);
      if (found === 'on') return 'lines';
      if (length < want) {
        segment.endAt = segment.searchedTo + length;
        return 'end';
      }
      if (want <= this.#maxLineBytes) continue;
      this.framing.passOver(segment, content);
      return 'lines';
    }
  }

  async #takeLongLine(segment: OpenSegment, end: number, next: number): Promise<ReadOutcome> {
    const offset = segment.position;
    let line: LongLineHandler | undefined;
    const digest = new PieceDigest();
    for (let at = offset; at < end; ) {
      const buffer = this.#bufferOf(CHUNK_BYTES);
      const length = await segment.file.read(at, buffer, 0, Math.min(CHUNK_BYTES, end - at));
      // Cut back under our hands: what was taken is evidence all the same, and the next step finds the change.
      if (length === 0) break;
      line ??= await this.#handler.longLine(segment, offset, end - offset);
      digest.add(buffer, 0, length);
      await line.piece(buffer, 0, length);
      at += length;
    }
    if (line === undefined) return 'changed';
    await line.end();
    if (segment.isFresh && next > end) segment.digests.addDigest(next - offset, digest.add(LINE_END).end());
    const tail = Buffer.alloc(Math.min(ANCHOR_BYTES, next));
    await readFully(segment.file, next - tail.length, tail, tail.length);
    segment.advance(next, tail);
    return 'lines';
  }

  #bufferOf(size: number): Buffer {
    if (this.#lent !== undefined && size <= this.#lent.length) return this.#lent;
    if (size > this.#buffer.length || (this.#buffer.length > KEPT_BUFFER_BYTES && size <= READ_BYTES)) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(size, READ_BYTES));
    }
    return this.#buffer;
  }
}

/** Whether what was read right before the position still stands there. */
export async function hasWhatWasRead(segment: OpenSegment): Promise<boolean> {
  const overlap = Math.min(ANCHOR_BYTES, segment.position);
  if (overlap === 0) return beginsAsSeen(segment);
  const before = Buffer.alloc(overlap);
  const length = await readFully(segment.file, segment.position - overlap, before, overlap);
  return length === overlap && endsAsRead(segment, before, overlap);
}

/** Whether what a rewind dropped still stands in the file. To be asked after a chunk was read: then it is also in that. */
async function hasDropped(segment: OpenSegment): Promise<boolean> {
  const { file, dropped, position } = segment;
  if (dropped === undefined) return true;
  if (!(await holds(file, dropped))) return false;
  if (position >= dropped.offset) segment.dropped = undefined;
  return true;
}

/** Whether the head is still there: an empty file, or one of NULs, was truncated. */
export async function beginsAsSeen(segment: OpenSegment): Promise<boolean> {
  const { file, head } = segment;
  return (await readHead(file.whole ?? file, { complete: true }))?.hash === head;
}

function endsAsRead(segment: Segment, buffer: Buffer, overlap: number): boolean {
  const tail = segment.tail;
  if (tail !== undefined) return buffer.compare(tail, 0, tail.length, 0, overlap) === 0;
  const { expected } = segment;
  return expected === undefined || contentHash(buffer.subarray(overlap - expected.length, overlap)) === expected.hash;
}

function withNewline(content: Buffer): Buffer {
  return content.at(-1) === NEWLINE ? Buffer.from(content) : Buffer.concat([content, LINE_END]);
}
