import type { Anchor } from '../../checkpoint/segment-records.ts';
import { PieceDigest } from '../../source/content-digest.ts';
import { contentHash } from '../../source/head.ts';
import { LineDigests } from '../../source/line-digests.ts';
import type { EventTimes } from '../../source/line-handler.ts';
import { ANCHOR_BYTES } from '../../source/segment.ts';
import { readFully, type SegmentFile } from '../../source/segment-file.ts';
import { lineStartBefore } from './line-edges.ts';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** A last line that is longer tells no time. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** What a commit stores of the content before an offset. */
export interface Evidence {
  /** Undefined at the head. */
  readonly anchor: Anchor | undefined;
  /** Time of the event on the last line. */
  readonly lastTime: number | undefined;
}

/**
 * Reads what a commit at `offset` would have stored.
 *
 * @param options.anchors those that are stored already, in the order of their offsets
 * @param options.isFresh a power loss may still cut the file back: each line since the anchor before is told apart too
 */
export async function readEvidence(
  file: SegmentFile,
  offset: number,
  options: { readonly anchors: readonly Anchor[]; readonly times: EventTimes; readonly isFresh: boolean },
): Promise<Evidence> {
  if (offset === 0) return { anchor: undefined, lastTime: undefined };
  const lastTime = await lastEventTime(file, offset, options.times);
  const previous = options.anchors.findLast((anchor) => anchor.offset <= offset);
  if (previous?.offset === offset) return { anchor: previous, lastTime };
  const before = Buffer.alloc(Math.min(ANCHOR_BYTES, offset));
  const length = await readFully(file, offset - before.length, before, before.length);
  const lines = options.isFresh ? await digestLines(file, previous?.offset ?? 0, offset) : undefined;
  return { anchor: { offset, length, hash: contentHash(before.subarray(0, length)), lines }, lastTime };
}

async function digestLines(file: SegmentFile, from: number, to: number): Promise<Buffer | undefined> {
  const digests = new LineDigests();
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const digest = new PieceDigest();
  let length = 0;
  for (let at = from; at < to; ) {
    const read = await readFully(file, at, buffer, Math.min(CHUNK_BYTES, to - at));
    if (read === 0) break;
    for (let start = 0; start < read; ) {
      const newline = buffer.subarray(0, read).indexOf(NEWLINE, start);
      const end = newline < 0 ? read : newline + 1;
      digest.add(buffer, start, end);
      length += end - start;
      if (newline >= 0) {
        digests.addDigest(length, digest.end());
        length = 0;
      }
      start = end;
    }
    at += read;
  }
  return digests.take();
}

async function lastEventTime(file: SegmentFile, offset: number, times: EventTimes): Promise<number | undefined> {
  const start = await lineStartBefore(file, offset - 1);
  if (offset - start > MAX_LINE_BYTES) return undefined;
  const line = Buffer.alloc(offset - start);
  const length = await readFully(file, start, line, line.length);
  return times.eventTime(line, 0, line[length - 1] === NEWLINE ? length - 1 : length);
}
