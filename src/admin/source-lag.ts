import type { Segment } from '../source/segment.ts';
import type { SinkPlace } from '../source/sink-place.ts';

/** Up to where a sink has taken a segment in this run: written, delivered or spooled. */
export function takenOffset(segment: Segment, { pace }: Pick<SinkPlace, 'pace'>, index: number): number {
  if (pace === undefined) return Math.max(segment.position, segment.from[index] ?? 0);
  return Math.min(pace.ledger.takenTo(segment.id) ?? 0, segment.sizeSeen);
}

/** Bytes of the segment that the sink has not taken, as far as they were seen. */
export function lagBytes(segment: Segment, offset: number): number {
  return Math.max(0, Math.max(segment.sizeSeen, segment.position) - offset);
}

/**
 * The time of the event at an offset, between the segment's first event and the last one that was read; undefined before
 * any was. Between those it is taken to grow with the offset, which holds as far as events come evenly.
 */
export function timeAt(segment: Segment, offset: number): number | undefined {
  const { firstTime, lastTime, position } = segment;
  if (firstTime === undefined || lastTime === undefined || position === 0) return firstTime;
  const share = Math.min(1, Math.max(0, offset / position));
  return firstTime + (lastTime - firstTime) * share;
}
