import type { SourceConfig } from '../config/types.ts';
import type { ActiveSegments, OpenSegment } from './active-segments.ts';
import type { ChangeResolver } from './change-resolver.ts';
import { damageOf } from './gzip-file.ts';
import type { RotationJoin } from './rotation-join.ts';
import type { Segment } from './segment.ts';
import type { SegmentReader } from './segment-reader.ts';

interface SegmentFinisherDeps {
  readonly config: SourceConfig;
  readonly active: ActiveSegments;
  readonly reader: SegmentReader;
  readonly join: RotationJoin;
  readonly changes: ChangeResolver;
  readonly requestCommit: () => void;
  readonly now: () => number;
  readonly elapsed: () => number;
}

/** Segments that go on in the next file, and can be taken to their ends only when their writer goes on there. */
export interface WritersTurn {
  readonly waiting: readonly Segment[];
}

/** Decides when a segment is finished, and takes what is left of it then. */
export class SegmentFinisher {
  readonly #deps: SegmentFinisherDeps;

  constructor(deps: SegmentFinisherDeps) {
    this.#deps = deps;
  }

  /** All that is whole was taken. */
  async atEnd(segment: OpenSegment): Promise<'end' | 'changed' | WritersTurn> {
    const { active, reader, join, changes, requestCommit } = this.#deps;
    if (!segment.live && segment.uncommitted) requestCommit();
    if (segment.live || !(await this.isStill(segment, segment.endAt))) return 'end';
    const damage = await damageOf(segment.file);
    // What comes next does not go on where a damaged part ends.
    const tail = damage === undefined ? await reader.tailOf(segment) : undefined;
    if (tail === 'changed') return 'changed';
    const continuation = tail && (await join.continuationOf(active.knownOf(segment).stream, segment, tail));
    if (continuation?.kind === 'waiting')
      return continuation.forWriter ? { waiting: [segment, ...continuation.behind] } : 'end';
    const whole = continuation?.kind === 'joined' ? continuation.tail : undefined;
    if ((await reader.finish(segment, whole)) === 'changed') return 'changed';
    // No commit comes in between: the next ones are begun between two steps.
    if (continuation !== undefined) join.apply(segment, continuation);
    if (damage !== undefined) changes.giveUpRest(segment, damage);
    else changes.tellLackedEnd(segment);
    segment.finished = true;
    requestCommit();
    return 'end';
  }

  /** Whether the segment's file was left alone for `rotate_wait`, and ends at `size`. */
  async isStill(segment: OpenSegment, size: number): Promise<boolean> {
    const { config, now, elapsed } = this.#deps;
    const stat = await segment.file.stat();
    return segment.isStill(stat, config.rotateWaitMs, { now: now(), elapsed: elapsed() }) && stat.size === size;
  }
}
