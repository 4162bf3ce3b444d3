import { median } from '../harness/statistics.ts';

/** One look at the running agent. */
export interface Sample {
  /** Since the writer's start. */
  readonly seconds: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  /** Of the state directory. */
  readonly stateBytes: number;
}

/** What is allowed from the second quarter of the run to the last. */
export interface Bound {
  /** Share of the second quarter's median. */
  readonly share: number;
  /** On top of that: what comes and goes. */
  readonly allowance: number;
}

/**
 * A heap that breathes is no leak, so medians of quarters are compared, and a tenth is allowed. A leak of ten bytes an
 * event, at 5 MB/s for 30 minutes, adds 30 MB between the middles of these quarters.
 */
export const MEMORY_BOUND: Bound = { share: 0.1, allowance: 8e6 };

/** Files of the hour before stay open for a while beside those of the new hour; their number is the same in each hour. */
export const DESCRIPTOR_BOUND: Bound = { share: 0.1, allowance: 4 };

export interface Growth {
  /** Medians. */
  readonly second: number;
  readonly last: number;
  /** The most that `last` may be. */
  readonly limit: number;
  readonly flat: boolean;
}

/**
 * Compares the last quarter of a run with the second one. The first is left out: that is when the agent is restarted, and
 * when what it keeps for good comes to be.
 *
 * @param total seconds of the whole run. @throws RangeError when a quarter has no sample.
 */
export function growthOf(
  samples: readonly Sample[],
  total: number,
  value: (sample: Sample) => number,
  bound: Bound,
): Growth {
  const quarter = (number: number): number[] =>
    samples.filter(({ seconds }) => seconds >= (total * (number - 1)) / 4 && seconds < (total * number) / 4).map(value);
  const [second, last] = [median(quarter(2)), median(quarter(4))];
  const limit = second * (1 + bound.share) + bound.allowance;
  return { second, last, limit, flat: last <= limit };
}
