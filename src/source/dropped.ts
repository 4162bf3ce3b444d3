import type { Anchor } from '../checkpoint/segment-records.ts';
import { followLines, holds } from './resume-point.ts';
import { readFully, type SegmentFile } from './segment-file.ts';

/**
 * What was read of a segment and then dropped by a rewind, because no commit had stored it. It stands in the file, and is
 * read again from there: where it does not stand there any more, only this tells that it ever did.
 */
export interface Dropped extends Anchor {
  /** Where the first of its `lines` begins. */
  readonly from: number;
}

const NEWLINE = 0x0a;

/** Lines are looked for backwards in pieces of this size. */
const SEARCH_BYTES = 64 * 1024;

/**
 * From where on what was dropped is gone, at the beginning of a line; undefined where all of it still stands there.
 *
 * @param file.size that it has.
 * @param file.position before which nothing is gone.
 */
export async function goneFrom(
  dropped: Dropped,
  { file, size, position }: { file: SegmentFile; size: number; position: number },
): Promise<number | undefined> {
  if (await holds(file, dropped)) return undefined;
  if (dropped.lines !== undefined) return (await followLines(file, dropped.from, dropped)).offset;
  // Of a file that its writer had left before it was opened no lines are known. Such a one does not grow again.
  return lineStart(file, Math.min(size, dropped.offset), position);
}

/** Where the line begins that is cut off at `end`, or the next one would; not before `from`. */
export async function lineStart(file: SegmentFile, end: number, from: number): Promise<number> {
  const buffer = Buffer.alloc(SEARCH_BYTES);
  for (let stop = end; stop > from; ) {
    const start = Math.max(from, stop - buffer.length);
    const length = await readFully(file, start, buffer, stop - start);
    const newline = buffer.subarray(0, length).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    stop = start;
  }
  return from;
}
