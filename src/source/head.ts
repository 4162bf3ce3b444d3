import { createHash } from 'node:crypto';
import { readFully, type SegmentFile } from './segment-file.ts';

/** The head is the first line, or so many of its first bytes: enough for a kube-apiserver event to hold its auditID. */
export const HEAD_BYTES = 1024;

const NEWLINE = 0x0a;
const NUL_CHUNK = 256 * 1024;

export interface Head {
  readonly hash: string;
  /** NUL bytes before the first line. */
  readonly nulls: number;
  /** Bytes that the head was told from. */
  readonly length: number;
}

/** A content hash for identity, not for secrecy: 128 bits of SHA-256. */
export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

/**
 * The head of a file, or undefined while it has neither a whole first line nor {@link HEAD_BYTES} bytes.
 *
 * @param complete the file will not grow: what there is of a first line counts as the head.
 */
export async function readHead(file: SegmentFile, options: { complete?: boolean } = {}): Promise<Head | undefined> {
  const nulls = await countLeadingNulls(file);
  const buffer = Buffer.alloc(HEAD_BYTES);
  const length = await readFully(file, nulls, buffer, HEAD_BYTES);
  const content = buffer.subarray(0, length);
  const hash = headHash(content, options.complete ?? false);
  if (hash === undefined) return undefined;
  const newline = content.indexOf(NEWLINE);
  return { hash, nulls, length: nulls + (newline < 0 ? length : newline + 1) };
}

/** The head's hash, given the content after leading NULs. */
export function headHash(content: Buffer, complete = false): string | undefined {
  const head = content.subarray(0, HEAD_BYTES);
  const newline = head.indexOf(NEWLINE);
  if (newline >= 0) return contentHash(head.subarray(0, newline));
  return head.length === HEAD_BYTES || (complete && head.length > 0) ? contentHash(head) : undefined;
}

/** Index of the first byte in [start, end) that is not NUL, or `end`. */
export function skipNulls(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && buffer[at] === 0) at += 1;
  return at;
}

async function countLeadingNulls(file: SegmentFile): Promise<number> {
  const first = Buffer.alloc(1);
  if ((await file.read(0, first, 0, 1)) === 0 || first[0] !== 0) return 0;
  const buffer = Buffer.alloc(NUL_CHUNK);
  for (let offset = 0; ; ) {
    const length = await file.read(offset, buffer, 0, NUL_CHUNK);
    const nulls = skipNulls(buffer, 0, length);
    offset += nulls;
    if (nulls < length || length === 0) return offset;
  }
}
