import type { Segment } from '../source/segment.ts';
import type { SinkPlace } from '../source/sink-place.ts';

/** What is read of a segment here. */
type Read = Pick<Segment, 'id' | 'sizeSeen' | 'position' | 'from' | 'firstTime' | 'lastTime'>;

/** Up to where a sink has taken a segment in this run: written, delivered or spooled. */
export function takenOffset(segment: Read, { pace }: Pick<SinkPlace, 'pace'>, index: number): number {
  if (pace === undefined) return Math.max(segment.position, segment.from[index] ?? 0);
  // A file that lost its end may end before what was taken of it.
  return Math.min(pace.ledger.takenTo(segment.id) ?? 0, endOf(segment));
}

/** Bytes of the segment that the sink has not taken, as far as they were seen. */
export function lagBytes(segment: Read, offset: number): number {
  return Math.max(0, endOf(segment) - offset);
}

/** Bytes that are known to be there. The size is as old as the last sweep, so that more may have been read since. */
export function endOf({ sizeSeen, position }: Read): number {
  return Math.max(sizeSeen, position);
}

/**
 * The time of the event at an offset, between the segment's first event and the last one that was read; undefined before
 * any was. Between those it is taken to grow with the offset, which holds as far as events come evenly.
 */
export function timeAt(segment: Pick<Read, 'firstTime' | 'lastTime' | 'position'>, offset: number): number | undefined {
  const { firstTime, lastTime, position } = segment;
  if (firstTime === undefined || lastTime === undefined || position === 0) return firstTime;
  const share = Math.min(1, Math.max(0, offset / position));
  return firstTime + (lastTime - firstTime) * share;
}
