import type { Anchor } from '../checkpoint/segment-records.ts';
import { PieceDigest } from './content-digest.ts';
import { contentHash } from './head.ts';
import { DIGEST_BYTES, digestEntries } from './line-digests.ts';
import { ANCHOR_BYTES } from './segment.ts';
import { readFully, type SegmentFile } from './segment-file.ts';

/** Lines are compared in pieces of this size, so that a giant one needs no memory. */
const COMPARE_BYTES = 256 * 1024;

/** Where to go on. */
export interface ResumePoint {
  readonly offset: number;
  /** The anchor for `offset`, where none is stored yet: without it the lines before it would count as unknown later. */
  readonly anchor: Anchor | undefined;
}

/**
 * Where to go on in a log that was cut back: the newest anchor that still holds, and from there line by line as long
 * as the content is what was taken. Everything behind that offset is new.
 *
 * Where not even the oldest anchor that is kept holds and lines before it are not known any more, the answer is 0: a
 * line that comes twice is better than one that is lost.
 *
 * @param anchors in the order of their offsets.
 */
export async function findResumePoint(file: SegmentFile, anchors: readonly Anchor[]): Promise<ResumePoint> {
  for (let index = anchors.length - 1; index >= 0; index -= 1) {
    const anchor = anchors[index]!;
    if (await holds(file, anchor)) return followLines(file, anchor.offset, anchors[index + 1]);
  }
  return followLines(file, 0, anchors[0]);
}

/** Whether the content before the anchor is what it was. */
export async function holds(file: SegmentFile, anchor: Anchor): Promise<boolean> {
  const buffer = Buffer.alloc(anchor.length);
  const length = await readFully(file, anchor.offset - anchor.length, buffer, anchor.length);
  return length === anchor.length && contentHash(buffer) === anchor.hash;
}

/** Follows the lines up to the next anchor. It does not hold, so that they differ before it is reached. */
export async function followLines(file: SegmentFile, from: number, next: Anchor | undefined): Promise<ResumePoint> {
  let offset = from;
  let followed = 0;
  const digest = new PieceDigest();
  for (const entry of digestEntries(next?.lines ?? Buffer.alloc(0))) {
    if ((await digestAt(file, offset, entry.length, digest)) !== entry.digest) break;
    offset += entry.length;
    followed += DIGEST_BYTES;
  }
  if (offset === from) return { offset, anchor: undefined };
  const before = Buffer.alloc(Math.min(ANCHOR_BYTES, offset));
  const length = await readFully(file, offset - before.length, before, before.length);
  if (length < before.length) return { offset: from, anchor: undefined };
  return {
    offset,
    anchor: { offset, length, hash: contentHash(before), lines: next!.lines!.subarray(0, followed) },
  };
}

/** The digest of `length` bytes at `offset`, or undefined when fewer are there. */
async function digestAt(
  file: SegmentFile,
  offset: number,
  length: number,
  digest: PieceDigest,
): Promise<number | undefined> {
  const buffer = Buffer.alloc(Math.min(length, COMPARE_BYTES));
  for (let done = 0; done < length; ) {
    const read = await file.read(offset + done, buffer, 0, Math.min(buffer.length, length - done));
    if (read === 0) return undefined;
    digest.add(buffer, 0, read);
    done += read;
  }
  return digest.end();
}
