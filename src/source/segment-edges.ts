import { readHead } from './head.ts';
import type { LineHandler } from './line-handler.ts';
import type { SegmentFile } from './segment-file.ts';

/** A first line that is longer gives its time late: the order of segments is then told by the file's own time. */
const FIRST_LINE_BYTES = 256 * 1024;

const SEARCH_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Time of a segment's first event, in milliseconds since the epoch: it gives the order of segments. */
export async function firstEventTime(file: SegmentFile, handler: LineHandler): Promise<number | undefined> {
  const head = await readHead(file, { complete: true });
  if (head === undefined) return undefined;
  const buffer = Buffer.alloc(FIRST_LINE_BYTES);
  const length = await file.read(head.nulls, buffer, 0, FIRST_LINE_BYTES);
  const newline = buffer.subarray(0, length).indexOf(NEWLINE);
  return handler.eventTime(buffer, 0, newline < 0 ? length : newline);
}

/** Offset just after the last newline of the file, 0 when it has none. */
export async function lastNewline(file: SegmentFile): Promise<number> {
  const buffer = Buffer.alloc(SEARCH_BYTES);
  for (let end = (await file.stat()).size; end > 0; end -= Math.min(end, SEARCH_BYTES)) {
    const start = Math.max(0, end - SEARCH_BYTES);
    const length = await file.read(start, buffer, 0, end - start);
    const newline = buffer.subarray(0, length).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
  }
  return 0;
}
