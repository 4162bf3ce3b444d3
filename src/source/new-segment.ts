import type { SegmentRow } from '../checkpoint/segment-records.ts';
import type { FoundFile } from './discovery.ts';
import type { EventTimes } from './line-handler.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { firstEventTime, lastNewline } from './segment-edges.ts';

/**
 * The row of a segment that was never seen before. With `tail` it begins behind what is there: a live file at its last
 * newline, and a rotated part is finished unread.
 */
export async function newSegmentRow(
  file: FoundFile,
  options: { stream: number; head: string; tail: boolean; handler: EventTimes },
): Promise<Omit<SegmentRow, 'id'>> {
  const { stream, head, tail, handler } = options;
  const open = await openSegmentFile(file);
  try {
    const { device, inode, path } = file;
    const firstTime = (await firstEventTime(open, handler)) ?? Math.trunc(file.modifiedMs);
    // The size of a gzip part's content is not worth inflating it: finished as it is, nobody asks.
    const sizeSeen = tail && !file.gzip ? (file.live ? await lastNewline(open) : file.size) : 0;
    return {
      stream,
      device,
      inode,
      head,
      path,
      sizeSeen,
      firstTime,
      lastTime: undefined,
      finished: tail && !file.live,
      headOf: undefined,
      headBytes: 0,
    };
  } finally {
    await open.close();
  }
}
