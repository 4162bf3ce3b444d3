import { Random } from '../bench/random.ts';
import { ROTATION_STYLES, type RotationStyle } from '../test/helpers/rotating-writer.ts';
import { IO_FAULTS, type IoFault } from './io-faults.ts';

/** What is done to the log. */
export type LogStep =
  | { readonly kind: 'rotate'; readonly style: RotationStyle }
  | { readonly kind: 'burst'; readonly rotations: number; readonly lines: number; readonly keep: number | undefined }
  | { readonly kind: 'gzip slowly'; readonly pieces: number; readonly pauseMs: number; readonly abandon: boolean }
  | { readonly kind: 'delete the oldest backups'; readonly keep: number }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'copytruncate with a writer between'; readonly lines: number }
  | { readonly kind: 'cut back by a power loss'; readonly lines: number; readonly within: number }
  | { readonly kind: 'symlink to another file'; readonly forMs: number }
  | { readonly kind: 'delete and recreate the directory'; readonly goOnMs: number }
  | { readonly kind: 'delete the live file'; readonly goOnMs: number }
  | { readonly kind: 'writer dies within a line'; readonly within: number; readonly rotate: boolean }
  | { readonly kind: 'garbage lines'; readonly lines: number }
  | { readonly kind: 'very long lines'; readonly bytes: readonly number[] }
  | { readonly kind: 'another writer'; readonly append: boolean; readonly compress: boolean };

/** What is done to the agent. */
export type AgentStep =
  | { readonly kind: 'SIGKILL'; readonly downMs: number }
  | { readonly kind: 'SIGKILL while it starts'; readonly afterMs: number }
  | { readonly kind: 'SIGTERM'; readonly downMs: number }
  | { readonly kind: 'SIGSTOP and SIGCONT'; readonly forMs: number }
  | { readonly kind: 'SIGHUP with a changed configuration'; readonly variant: number }
  | { readonly kind: 'SIGHUP with a broken configuration'; readonly variant: number }
  | { readonly kind: 'SIGUSR1' }
  | { readonly kind: 'a second agent' };

/** What is done to the host, and to the archive. */
export type HostStep =
  | { readonly kind: 'disk full'; readonly disk: Disk; readonly forMs: number }
  | { readonly kind: 'disk read-only'; readonly disk: Disk; readonly forMs: number }
  | { readonly kind: 'file calls fail'; readonly fault: IoFault; readonly forMs: number }
  | { readonly kind: 'clock stepped'; readonly aheadMs: number }
  | { readonly kind: 'archive file deleted'; readonly which: number }
  | { readonly kind: 'archive file exchanged'; readonly which: number };

export type Disk = 'archive' | 'state';

/** What is done to a receiver. `slow`: every answer comes in drops. */
export const CONDITIONS = ['well', 'closed', 'overloaded', 'broken', 'slow', 'everything'] as const;
export type Condition = (typeof CONDITIONS)[number];
export type ReceiverStep = { readonly kind: 'receiver'; readonly condition: Condition; readonly seed: number };

/** A step, and when it begins at the earliest: those of one track wait for each other. */
export type Timed<Step> = Step & { readonly atMs: number };

export interface Plan {
  readonly seed: number;
  readonly minutes: number;
  readonly compress: 'gzip' | 'zstd';
  readonly durability: 'disk' | 'process';
  readonly log: readonly Timed<LogStep>[];
  readonly agent: readonly Timed<AgentStep>[];
  readonly host: readonly Timed<HostStep>[];
  readonly elasticsearch: readonly Timed<ReceiverStep>[];
  readonly ndjson: readonly Timed<ReceiverStep>[];
}

/** The clock is stepped by less than a day: events that are further ahead of it are not believed, and have no time. */
const MAX_STEP_MS = 20 * 3_600_000;

/**
 * Everything that the nemesis will do, from the seed alone. The tracks go on beside each other. A longer plan begins like a
 * shorter one.
 */
export function makePlan(seed: number, minutes: number): Plan {
  const endMs = minutes * 60_000;
  // Each track has numbers of its own, so that the length of one does not change another.
  const seeds = new Random(seed);
  const next = () => new Random(seeds.uint32());
  const choices = next();
  return {
    seed,
    minutes,
    compress: choices.chance(0.25) ? 'zstd' : 'gzip',
    durability: choices.chance(0.5) ? 'disk' : 'process',
    log: track(next(), endMs, [50, 900], LOG_STEPS),
    agent: track(next(), endMs, [800, 6000], AGENT_STEPS),
    // Mostly there is time in between, so that the agent is also met at its work.
    host: track(next(), endMs, choices.chance(0.25) ? [300, 2500] : [2500, 6000], HOST_STEPS),
    elasticsearch: track(next(), endMs, [500, 5000], CONDITIONS.map(receiverStep)),
    ndjson: track(next(), endMs, [500, 5000], CONDITIONS.map(receiverStep)),
  };
}

type Draw<Step> = (random: Random) => Step;

const ms = (from: number, to: number) => (random: Random) => Math.floor(from + random.float() * (to - from));

/** Rotations come most often: what deletes unread lines leaves little to check. */
const LOG_STEPS: readonly Draw<LogStep>[] = [
  ...[...ROTATION_STYLES, ...ROTATION_STYLES, ...ROTATION_STYLES].map(
    (style) => () => ({ kind: 'rotate', style }) as const,
  ),
  (random) => ({
    kind: 'burst',
    rotations: 2 + random.below(6),
    lines: random.below(4),
    keep: random.chance(0.3) ? 1 + random.below(8) : undefined,
  }),
  (random) => ({
    kind: 'gzip slowly',
    pieces: 2 + random.below(6),
    pauseMs: ms(10, 150)(random),
    abandon: random.chance(0.25),
  }),
  (random) => ({ kind: 'delete the oldest backups', keep: 1 + random.below(12) }),
  () => ({ kind: 'truncate' }),
  (random) => ({ kind: 'copytruncate with a writer between', lines: random.below(5) }),
  (random) => ({ kind: 'cut back by a power loss', lines: 1 + random.below(15), within: random.float() }),
  (random) => ({ kind: 'symlink to another file', forMs: ms(50, 2500)(random) }),
  (random) => ({ kind: 'delete and recreate the directory', goOnMs: ms(0, 600)(random) }),
  (random) => ({ kind: 'delete the live file', goOnMs: ms(0, 600)(random) }),
  (random) => ({ kind: 'writer dies within a line', within: random.float(), rotate: random.chance(0.3) }),
  (random) => ({ kind: 'garbage lines', lines: 1 + random.below(5) }),
  (random) => ({
    kind: 'very long lines',
    bytes: Array.from({ length: 1 + random.below(2) }, () => Math.floor(70_000 * 20 ** random.float())),
  }),
  (random) => ({ kind: 'another writer', append: random.chance(0.6), compress: random.chance(0.5) }),
];

const AGENT_STEPS: readonly Draw<AgentStep>[] = [
  (random) => ({ kind: 'SIGKILL', downMs: ms(0, 400)(random) }),
  (random) => ({ kind: 'SIGKILL', downMs: ms(400, 3000)(random) }),
  (random) => ({ kind: 'SIGKILL while it starts', afterMs: ms(50, 1200)(random) }),
  (random) => ({ kind: 'SIGTERM', downMs: ms(0, 2000)(random) }),
  (random) => ({ kind: 'SIGSTOP and SIGCONT', forMs: ms(300, 3500)(random) }),
  (random) => ({ kind: 'SIGHUP with a changed configuration', variant: random.below(1000) }),
  (random) => ({ kind: 'SIGHUP with a changed configuration', variant: random.below(1000) }),
  (random) => ({ kind: 'SIGHUP with a broken configuration', variant: random.below(4) }),
  () => ({ kind: 'SIGUSR1' }),
  () => ({ kind: 'a second agent' }),
];

const HOST_STEPS: readonly Draw<HostStep>[] = [
  (random) => ({ kind: 'disk full', disk: random.pick(['archive', 'state']), forMs: ms(300, 3000)(random) }),
  (random) => ({ kind: 'disk read-only', disk: random.pick(['archive', 'state']), forMs: ms(300, 2500)(random) }),
  ...IO_FAULTS.map(
    (fault) => (random: Random) => ({ kind: 'file calls fail', fault, forMs: ms(300, 2500)(random) }) as const,
  ),
  (random) => ({ kind: 'clock stepped', aheadMs: Math.floor((random.float() * 2 - 1) * MAX_STEP_MS) }),
  (random) => ({ kind: 'clock stepped', aheadMs: Math.floor((random.float() * 2 - 1) * 10_000) }),
  (random) => ({ kind: 'archive file deleted', which: random.float() }),
  (random) => ({ kind: 'archive file exchanged', which: random.float() }),
];

function receiverStep(condition: Condition): Draw<ReceiverStep> {
  return (random) => ({ kind: 'receiver', condition, seed: random.below(1_000_000) });
}

/** Every kind once in each round, in random order, with random pauses in between. */
function track<Step extends object>(
  random: Random,
  endMs: number,
  [minMs, maxMs]: readonly [number, number],
  kinds: readonly Draw<Step>[],
): Timed<Step>[] {
  const steps: Timed<Step>[] = [];
  let deck: Draw<Step>[] = [];
  for (let atMs = ms(minMs, maxMs)(random); atMs < endMs; atMs += ms(minMs, maxMs)(random)) {
    if (deck.length === 0) deck = shuffled(kinds, random);
    steps.push({ ...deck.pop()!(random), atMs });
  }
  return steps;
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const mixed = [...values];
  for (let i = mixed.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [mixed[i], mixed[other]] = [mixed[other]!, mixed[i]!];
  }
  return mixed;
}
