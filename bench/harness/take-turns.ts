import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { type Measured, measure } from './measure.ts';
import { median } from './statistics.ts';

/** All runs of one contender. */
export interface Runs {
  readonly name: string;
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
  readonly peakBytes: readonly number[];
}

export interface Turns {
  readonly rounds: number;
  /** For the runs' directories, one after the other. */
  readonly scratch: string;
  readonly tell: (line: string) => void;
}

/**
 * Lets each contender run once in each round, so that a busy moment of the machine hits all alike: A B C, A B C, …
 *
 * @returns the runs by name, without contenders that are missing.
 */
export async function takeTurns(contenders: readonly Contender[], turns: Turns): Promise<Map<string, Runs>> {
  const present = contenders.filter(({ missing }) => missing === undefined);
  const measured = new Map<string, Measured[]>(present.map(({ name }) => [name, []]));
  const all = join(turns.scratch, 'turns');
  mkdirSync(all, { recursive: true });
  try {
    for (let round = 0; round < turns.rounds; round++) {
      const inRound = present.filter(({ maxRounds = Number.POSITIVE_INFINITY }) => round < maxRounds);
      for (const contender of inRound) {
        const directory = mkdtempSync(join(all, 'turn-'));
        measured.get(contender.name)!.push(await measure(contender.prepare(directory)));
        if (round === 0) await contender.check?.(directory);
      }
      const times = inRound.map(({ name }) => `${name}: ${measured.get(name)!.at(-1)!.seconds.toFixed(2)} s`);
      turns.tell(`round ${round + 1} of ${turns.rounds}: ${times.join(', ')}`);
    }
  } finally {
    // Not after each run: ext4 without a journal does not give an inode again within minutes, and looks for another one
    // among all that were, so that a run would pay for the thousands of files that the run before had.
    rmSync(all, { recursive: true });
  }
  return new Map([...measured].map(([name, runs]) => [name, runsOf(name, runs)]));
}

function runsOf(name: string, all: readonly Measured[]): Runs {
  return {
    name,
    seconds: all.map(({ seconds }) => seconds),
    cpuSeconds: all.map(({ cpuSeconds }) => cpuSeconds),
    peakBytes: all.map(({ peakBytes }) => peakBytes),
  };
}

/**
 * How many times as fast the first is as the second: the median of the rounds' ratios. The two of a round ran within
 * seconds of each other, so what slows a whole round down falls out. The note has the medians of both.
 */
export function speedRatio(ours: Runs, other: Runs): { readonly measured: number; readonly note: string } {
  const rounds = Math.min(ours.seconds.length, other.seconds.length);
  const ratios = Array.from({ length: rounds }, (_, round) => other.seconds[round]! / ours.seconds[round]!);
  const [a, b] = [median(ours.seconds), median(other.seconds)];
  return { measured: median(ratios), note: `${ours.name}: ${a.toFixed(2)} s, ${other.name}: ${b.toFixed(2)} s` };
}
