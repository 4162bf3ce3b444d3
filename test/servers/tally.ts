import type { StoredEvent } from './pairs.ts';

/** What a receiver has, against what was written. */
export interface Tally {
  /** Different events that were written and are there. */
  readonly found: number;
  /** Keys of those that are not there. */
  readonly missing: readonly string[];
  /** Events that are there once more than they were written. */
  readonly repeated: number;
  /** Keys of events that nobody wrote. */
  readonly foreign: readonly string[];
  /** Keys of events with another time. */
  readonly mistimed: readonly string[];
}

/** @param written key and time of each event, milliseconds since the epoch. */
export function tally(written: ReadonlyMap<string, number>, stored: readonly StoredEvent[]): Tally {
  const found = new Set<string>();
  const foreign: string[] = [];
  const mistimed: string[] = [];
  for (const { key, timeMs } of stored) {
    const expected = written.get(key);
    if (expected === undefined) {
      foreign.push(key);
      continue;
    }
    found.add(key);
    if (timeMs !== undefined && timeMs !== expected) mistimed.push(key);
  }
  const missing = [...written.keys()].filter((key) => !found.has(key));
  return { found: found.size, missing, repeated: stored.length - foreign.length - found.size, foreign, mistimed };
}
