import type { Gap } from '../checkpoint/gap-records.ts';
import { parseRotatedName } from './rotated-name.ts';

/** What is known of a segment whose file cannot be found any more. */
export interface LostSegment {
  /** File name, when it was last seen. */
  readonly path: string;
  readonly position: number;
  readonly sizeSeen: number;
  readonly lastTime: number | undefined;
  /** `truncated`: the agent saw it happen. `gone`: it happened unseen. */
  readonly how: 'truncated' | 'gone';
}

/**
 * The gap that a lost segment leaves, or undefined when all of it was read.
 *
 * A segment that was live when it was last seen may have grown afterwards, so its end is unknown. A rotated one does not
 * grow, and one that was truncated before the agent's eyes had the size that was seen last.
 */
export function gapRange(lost: LostSegment, name: string, afterTime: number | undefined): Gap | undefined {
  const wasRotated = parseRotatedName(name) !== undefined;
  const isEndKnown = lost.how === 'truncated' || (wasRotated && lost.sizeSeen > 0);
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
