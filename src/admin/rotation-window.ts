/** A rotated part of a log as a look at the directory showed it. */
export interface RotatedPart {
  readonly path: string;
  /** When it was written to last, which is when it was rotated: renaming, copying and gzipping keep that. */
  readonly modifiedMs: number;
}

/**
 * Estimates how many seconds are left until rotation deletes a log's file, if the log goes on as it did: the oldest part
 * goes with the next rotation, the one after it with the one after that, and rotations come as far apart as the parts'
 * times are on average. As long as fewer parts are there than the writer keeps, more time is left than this says.
 *
 * @param path a part, or anything else for the live file, which goes last.
 * @returns undefined with fewer than two parts: how far apart rotations are is not known then.
 */
export function secondsUntilDeleted(parts: readonly RotatedPart[], path: string, now: number): number | undefined {
  const sorted = parts.toSorted((one, other) => one.modifiedMs - other.modifiedMs);
  const [oldest] = sorted;
  const newest = sorted.at(-1);
  if (oldest === undefined || newest === undefined || oldest === newest) return undefined;
  const period = (newest.modifiedMs - oldest.modifiedMs) / (sorted.length - 1);
  const untilNext = Math.max(0, newest.modifiedMs + period - now);
  const index = sorted.findIndex((part) => part.path === path);
  return (untilNext + period * (index === -1 ? sorted.length : index)) / 1000;
}
