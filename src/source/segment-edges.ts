import { readHead, skipNulls } from './head.ts';
import type { EventTimes } from './line-handler.ts';
import { readFully, type SegmentFile } from './segment-file.ts';

/** Bytes in which a whole line is looked for, in turn: nearly every event fits the first, what fits none is passed over. */
const WINDOWS = [64 * 1024, 1024 * 1024, 16 * 1024 * 1024] as const;

/**
 * How far an event with a time is looked for, in bytes and in lines without one: a log without times must not be read
 * twice, the second time for its lines. Beyond that the order of segments is told by the file's own time.
 */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_LINES = 1000;

const SEARCH_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Time of a segment's first event that has one, in milliseconds since the epoch: it gives the order of segments.
 * Undefined where none is found near the start.
 */
export async function firstEventTime(file: SegmentFile, handler: EventTimes): Promise<number | undefined> {
  const head = await readHead(file, { complete: true });
  if (head === undefined) return undefined;
  const search = new TimeSearch(handler);
  let buffer = Buffer.alloc(0);
  for (let at = head.nulls; at < head.nulls + MAX_BYTES && search.goesOn; ) {
    if (buffer.length < search.window) buffer = Buffer.allocUnsafeSlow(search.window);
    const length = await readFully(file, at, buffer, search.window);
    at += search.take(buffer.subarray(0, length), { atEnd: length < search.window });
  }
  return search.time;
}

/** Looks for the first line with a time, in pieces of content that follow each other. */
class TimeSearch {
  time: number | undefined;
  readonly #handler: EventTimes;
  #lines = 0;
  #size = 0;
  /** The content goes on in the middle of a line that is too long. */
  #passesOver = false;
  #ended = false;

  constructor(handler: EventTimes) {
    this.#handler = handler;
  }

  /** Bytes that the next piece should have. */
  get window(): number {
    return WINDOWS[this.#size]!;
  }

  get goesOn(): boolean {
    return !this.#ended && this.#wantsLines;
  }

  get #wantsLines(): boolean {
    return this.time === undefined && this.#lines < MAX_LINES;
  }

  /** Gives how many bytes are done with; 0 when the same content is wanted in a larger window. */
  take(piece: Buffer, { atEnd }: { atEnd: boolean }): number {
    this.#ended = atEnd;
    // What stands behind the last newline of a file may be a whole event.
    const end = atEnd ? piece.length : piece.lastIndexOf(NEWLINE) + 1;
    if (end === 0 && !this.#passesOver && this.#size < WINDOWS.length - 1) {
      this.#size += 1;
      return 0;
    }
    this.#size = 0;
    if (end === 0) {
      this.#passesOver = true;
      return piece.length;
    }
    const start = this.#passesOver ? piece.indexOf(NEWLINE) + 1 : 0;
    this.#passesOver = false;
    this.#takeLines(piece, start, end);
    return end;
  }

  #takeLines(piece: Buffer, start: number, end: number): void {
    for (let at = start; at < end && this.#wantsLines; ) {
      const begin = skipNulls(piece, at, end);
      const newline = piece.indexOf(NEWLINE, begin);
      const stop = newline < 0 ? end : newline;
      this.time = this.#handler.eventTime(piece, begin, stop);
      this.#lines += 1;
      at = stop + 1;
    }
  }
}

/** Offset just after the last newline of the file, 0 when it has none. */
export async function lastNewline(file: SegmentFile): Promise<number> {
  const buffer = Buffer.alloc(SEARCH_BYTES);
  for (let end = (await file.stat()).size; end > 0; end -= Math.min(end, SEARCH_BYTES)) {
    const start = Math.max(0, end - SEARCH_BYTES);
    const length = await readFully(file, start, buffer, end - start);
    const newline = buffer.subarray(0, length).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
  }
  return 0;
}
