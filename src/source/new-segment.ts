import type { SegmentRow } from '../checkpoint/segment-records.ts';
import { AuditailError } from '../errors.ts';
import type { FoundFile } from './discovery.ts';
import { readHead } from './head.ts';
import type { EventTimes } from './line-handler.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { firstEventTime, lastNewline } from './segment-edges.ts';

/**
 * The row of a segment that was never seen before. With `tail` it begins behind what is there: a live file at its last
 * newline, and a rotated part is finished unread.
 *
 * @throws AuditailError `FILE_MOVED` where another file stands by now, or the same one with another head
 */
export async function newSegmentRow(
  file: FoundFile,
  options: { stream: number; head: string; tail: boolean; mayGrow: boolean; handler: EventTimes },
): Promise<Omit<SegmentRow, 'id'>> {
  const { stream, head, tail, mayGrow, handler } = options;
  const open = await openSegmentFile(file);
  try {
    const { device, inode, path } = file;
    const firstTime = (await firstEventTime(open, handler)) ?? Math.trunc(file.modifiedMs);
    // Emptied since it was told, it is something else: its times would be those of another segment.
    if ((await readHead(open, { complete: true }))?.hash !== head)
      throw new AuditailError('FILE_MOVED', `${path} has another content by now`);
    // The size of a gzip part's content is not worth inflating it: finished as it is, nobody asks.
    const sizeSeen = tail && !file.gzip ? (file.live ? await lastNewline(open) : file.size) : 0;
    return {
      stream,
      device,
      inode,
      head,
      path,
      sizeSeen,
      mayGrow,
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
