import { readFully, type SegmentFile } from '../../source/segment-file.ts';

const WINDOW_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** The greatest offset up to `offset` that a line begins at: 0, or just after a newline. */
export async function lineStartBefore(file: SegmentFile, offset: number): Promise<number> {
  const buffer = Buffer.alloc(WINDOW_BYTES);
  for (let end = offset; end > 0; end -= Math.min(end, WINDOW_BYTES)) {
    const start = Math.max(0, end - WINDOW_BYTES);
    const length = await readFully(file, start, buffer, end - start);
    const newline = buffer.subarray(0, length).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
  }
  return 0;
}

/** The least offset from `offset` on that a line begins at; undefined where no newline follows. */
export async function lineStartAfter(file: SegmentFile, offset: number): Promise<number | undefined> {
  const buffer = Buffer.alloc(WINDOW_BYTES);
  for (let start = offset; ; start += WINDOW_BYTES) {
    const length = await readFully(file, start, buffer, WINDOW_BYTES);
    const newline = buffer.subarray(0, length).indexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    if (length < WINDOW_BYTES) return undefined;
  }
}
