import { crc32 } from 'node:zlib';
import type { Anchor } from '../checkpoint/segment-records.ts';
import { contentHash } from './head.ts';
import { digestEntries, digestsUpTo } from './line-digests.ts';
import { ANCHOR_BYTES } from './segment.ts';
import type { SegmentFile } from './segment-file.ts';

/** Lines are compared in pieces of this size, so that a giant one needs no memory. */
const COMPARE_BYTES = 256 * 1024;

/**
 * Where to go on in a log that was cut back: the newest anchor that still holds, and from there line by line as long
 * as the content is what was taken. Everything behind that offset is new.
 *
 * Where not even the oldest anchor that is kept holds and lines before it are not known any more, the answer is 0: a
 * line that comes twice is better than one that is lost.
 *
 * @param anchors in the order of their offsets.
 */
export async function findResumeOffset(file: SegmentFile, anchors: readonly Anchor[]): Promise<number> {
  for (let index = anchors.length - 1; index >= 0; index -= 1) {
    const anchor = anchors[index]!;
    if (await holds(file, anchor)) return followLines(file, anchor.offset, anchors.slice(index + 1));
  }
  return followLines(file, 0, anchors);
}

/**
 * The anchor of an offset that {@link findResumeOffset} gave: with it, and with the lines since the anchor before, a log
 * that is cut back once more is still followed line by line. Undefined for offset 0.
 *
 * @param anchors those that were given there.
 */
export async function anchorAt(
  file: SegmentFile,
  offset: number,
  anchors: readonly Anchor[],
): Promise<Anchor | undefined> {
  const stored = anchors.find((anchor) => anchor.offset === offset);
  if (stored !== undefined || offset === 0) return stored;
  const buffer = Buffer.alloc(Math.min(ANCHOR_BYTES, offset));
  const length = await file.read(offset - buffer.length, buffer, 0, buffer.length);
  const before = anchors.findLast((anchor) => anchor.offset < offset)?.offset ?? 0;
  const lines = anchors.find((anchor) => anchor.offset > offset)?.lines;
  return {
    offset,
    length,
    hash: contentHash(buffer.subarray(0, length)),
    lines: lines && digestsUpTo(lines, offset - before),
  };
}

async function holds(file: SegmentFile, anchor: Anchor): Promise<boolean> {
  const buffer = Buffer.alloc(anchor.length);
  const length = await file.read(anchor.offset - anchor.length, buffer, 0, anchor.length);
  return length === anchor.length && contentHash(buffer) === anchor.hash;
}

async function followLines(file: SegmentFile, offset: number, later: readonly Anchor[]): Promise<number> {
  for (const { lines } of later) {
    if (lines === undefined) return offset;
    for (const entry of digestEntries(lines)) {
      if ((await digestAt(file, offset, entry.length)) !== entry.crc) return offset;
      offset += entry.length;
    }
  }
  return offset;
}

/** CRC-32 of `length` bytes at `offset`, or undefined when fewer are there. */
async function digestAt(file: SegmentFile, offset: number, length: number): Promise<number | undefined> {
  const buffer = Buffer.alloc(Math.min(length, COMPARE_BYTES));
  let crc = 0;
  for (let done = 0; done < length; ) {
    const read = await file.read(offset + done, buffer, 0, Math.min(buffer.length, length - done));
    if (read === 0) return undefined;
    crc = crc32(buffer.subarray(0, read), crc);
    done += read;
  }
  return crc;
}
