import { readFully, type SegmentFile } from './segment-file.ts';

/** Bytes at the end of a copy that must be those of the original. */
const COPY_CHECK_BYTES = 1024;

export interface End {
  readonly at: number;
  readonly length: number;
  readonly bytes: Buffer;
}

/** The last bytes of a file's content, and where they begin. Shorter than they were to be in a file that shrinks meanwhile. */
export async function endOf(file: SegmentFile): Promise<End> {
  const { size } = await file.stat();
  const length = Math.min(COPY_CHECK_BYTES, size);
  return { at: size - length, length, bytes: await bytesAt(file, size - length, length) };
}

/** Whether the original has the same bytes at that place: whatever else it has, the file may be a copy of it. */
export async function hasAtPlace(original: SegmentFile, { at, length, bytes }: End): Promise<boolean> {
  return bytes.length === length && bytes.equals(await bytesAt(original, at, length));
}

async function bytesAt(file: SegmentFile, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, await readFully(file, offset, buffer, length));
}
