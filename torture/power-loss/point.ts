import type { Random } from '../../bench/random.ts';
import { METADATA, type Metadata } from './disk-model.ts';
import type { Survival } from './file-history.ts';
import type { Operation } from './operation.ts';

/** One crash: when, and what it leaves. */
export interface Point {
  /** So many operations of the record were done. */
  readonly operations: number;
  readonly metadata: Metadata;
  readonly survival: Survival;
  /** The log loses its end as well. */
  readonly cutsLog: boolean;
  /** The host loses power again while the agent catches up. */
  readonly isTwice: boolean;
  /** Decides everything else. */
  readonly seed: number;
}

/** Draws crashes, in the order of the record. Syncs are where things go wrong: half of the crashes are beside one. */
export function drawPoints(operations: readonly Operation[], count: number, random: Random): Point[] {
  const syncEnds = operations.flatMap(({ kind }, index) => (kind === 'sync-end' ? [index] : []));
  const points = Array.from({ length: count }, (): Point => {
    const isBesideSync = syncEnds.length > 0 && random.chance(0.5);
    const survival = random.pick(['nothing', 'nothing', 'everything', 'some', 'some', 'some', 'some', 'some'] as const);
    return {
      operations: isBesideSync ? random.pick(syncEnds) + random.below(3) : random.below(operations.length + 1),
      metadata: random.pick(METADATA),
      survival,
      cutsLog: random.chance(0.3),
      isTwice: random.chance(0.15),
      seed: random.uint32(),
    };
  });
  return points.sort((one, other) => one.operations - other.operations);
}

/** Crashes of the process alone: everything that it wrote is there. */
export function drawKills(operations: readonly Operation[], count: number, random: Random): Point[] {
  return drawPoints(operations, count, random).map((point) => ({
    ...point,
    survival: 'everything',
    cutsLog: false,
    isTwice: false,
  }));
}
