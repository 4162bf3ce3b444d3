import type { Gap } from '../checkpoint/gap-records.ts';
import { parseRotatedName } from './rotated-name.ts';
import type { SinkPlace } from './sink-place.ts';

/** What is known of a segment whose file cannot be found any more. */
export interface LostSegment {
  /** File name, when it was last seen. */
  readonly path: string;
  readonly position: number;
  readonly sizeSeen: number;
  readonly mayGrow: boolean;
  readonly lastTime: number | undefined;
  /** `truncated`: the agent saw it happen. `gone`: it happened unseen. */
  readonly how: 'truncated' | 'gone';
}

/**
 * The gap that a lost segment leaves, or undefined when all of it was read.
 *
 * A segment that was live when it was last seen may have grown afterwards, so its end is unknown; so may one that had just been
 * rotated, since its writer learns of that later. A rotated one that was left alone does not grow, and one that was truncated
 * before the agent's eyes had the size that was seen last.
 */
export function gapRange(lost: LostSegment, name: string, afterTime: number | undefined): Gap | undefined {
  const wasRotated = parseRotatedName(name) !== undefined;
  const isEndKnown = lost.how === 'truncated' || (wasRotated && lost.sizeSeen > 0 && !lost.mayGrow);
  if (isEndKnown && lost.sizeSeen <= lost.position) return undefined;
  return {
    path: lost.path,
    startOffset: lost.position,
    endOffset: isEndKnown ? lost.sizeSeen : undefined,
    beforeTime: lost.lastTime,
    afterTime,
    reason:
      lost.how === 'truncated'
        ? 'the file was truncated before it was read to its end'
        : 'the file was deleted or replaced before it was read to its end',
  };
}

/** What one sink at its own pace will never get of a segment, though it was read. */
export function lostFor(
  lost: { readonly name: string; readonly from: number; readonly to: number },
  segment: { readonly path: string; readonly firstTime: number | undefined; readonly lastTime: number | undefined },
  { reason, sinks }: { reason: string; sinks: readonly SinkPlace[] },
): Gap {
  const elsewhere = sinks.some(({ pace }) => pace === undefined) ? '; the file sinks have it' : '';
  return {
    path: segment.path,
    startOffset: lost.from,
    endOffset: lost.to,
    beforeTime: segment.firstTime,
    afterTime: segment.lastTime,
    reason: `${reason} before the sink ${lost.name} had got it${elsewhere}`,
  };
}
