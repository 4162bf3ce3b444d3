import { readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from '../harness/machine.ts';
import { DESCRIPTOR_BOUND, type Growth, growthOf, MEMORY_BOUND, type Sample } from './growth.ts';
import type { SoakRun } from './soak-run.ts';

/** In a shorter run a heap that has yet to find its size looks as if it leaked. */
export const MIN_MINUTES_TO_JUDGE = 5;

/** Points of the chart and the results file. */
const POINTS = 120;

export interface SoakResult {
  readonly date: string;
  readonly commit: string | undefined;
  readonly machine: Machine;
  readonly minutes: number;
  readonly events: number;
  readonly bytes: number;
  readonly rotations: number;
  readonly restarts: SoakRun['restarts'];
  readonly otherLoad: number;
  readonly archived: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly foreign: number;
  readonly misplaced: number;
  readonly damagedFiles: number;
  /** Undefined where the run was too short for it. */
  readonly memory: Growth | undefined;
  readonly descriptors: Growth | undefined;
  /** At most 120, each the most of its part of the run. */
  readonly samples: readonly Sample[];
}

export function judge(run: SoakRun, about: Pick<SoakResult, 'date' | 'commit' | 'machine' | 'minutes'>): SoakResult {
  const { verdict, samples, seconds } = run;
  const long = about.minutes >= MIN_MINUTES_TO_JUDGE;
  return {
    ...about,
    events: verdict.expected,
    bytes: run.writtenBytes,
    rotations: run.rotations,
    restarts: run.restarts,
    otherLoad: run.otherLoad,
    archived: verdict.archived,
    lost: verdict.lost,
    duplicated: verdict.duplicated,
    foreign: verdict.foreign,
    misplaced: verdict.misplaced,
    damagedFiles: verdict.files.filter(({ damage }) => damage !== undefined).length,
    memory: long ? growthOf(samples, seconds, (sample) => sample.residentBytes, MEMORY_BOUND) : undefined,
    descriptors: long ? growthOf(samples, seconds, (sample) => sample.descriptors, DESCRIPTOR_BOUND) : undefined,
    samples: thin(samples, POINTS),
  };
}

export function isExact({ lost, duplicated, foreign, misplaced, damagedFiles }: SoakResult): boolean {
  return lost + duplicated + foreign + misplaced + damagedFiles === 0;
}

/** False only for growth that was seen. */
export function isFlat({ memory, descriptors }: SoakResult): boolean {
  return memory?.flat !== false && descriptors?.flat !== false;
}

/** The most of each of `parts` parts of equal number, so that no peak is lost. */
export function thin(samples: readonly Sample[], parts: number): Sample[] {
  if (samples.length <= parts) return [...samples];
  return Array.from({ length: parts }, (_, part) => {
    const group = samples.slice(
      Math.floor((part * samples.length) / parts),
      Math.floor(((part + 1) * samples.length) / parts),
    );
    return {
      seconds: group[0]!.seconds,
      residentBytes: Math.max(...group.map((sample) => sample.residentBytes)),
      descriptors: Math.max(...group.map((sample) => sample.descriptors)),
      stateBytes: Math.max(...group.map((sample) => sample.stateBytes)),
    };
  });
}

/** @throws SyntaxError for what is no JSON. */
export function readSoakResult(path: string): SoakResult {
  return JSON.parse(readFileSync(path, 'utf8')) as SoakResult;
}

export function writeSoakResult(path: string, result: SoakResult): void {
  const { samples, ...rest } = result;
  // A line for each sample, not for each of its numbers.
  const lines = samples.map((sample) => `    ${JSON.stringify({ ...sample, seconds: toTenth(sample.seconds) })}`);
  const restarts = rest.restarts.map(({ seconds, how }) => ({ seconds: toTenth(seconds), how }));
  const text = JSON.stringify({ ...rest, restarts, samples: [] }, undefined, 2).replace(
    '"samples": []',
    `"samples": [\n${lines.join(',\n')}\n  ]`,
  );
  writeFileSync(path, `${text}\n`);
}

function toTenth(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
