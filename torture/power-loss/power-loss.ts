/**
 * `npm run torture:power-loss`: records what the real agent writes and syncs, builds the trees that a power loss at many
 * moments of that may leave, and starts the agent on each of them.
 */
import { parseArgs } from 'node:util';
import { shimObstacle } from '../shim/obstacle.ts';
import { FAILED_SEEDS } from './failed-seeds.ts';
import { replay, runTrial, type TrialOptions, type TrialResult } from './trial.ts';

const HELP = `Usage: npm run torture:power-loss -- [options]

Records the writes and syncs of auditail while it reads a log that is rotated, sends to a receiver that is away now and then,
and is killed several times. For many moments of that record it builds what a power loss may leave on the disk: writes
that were not synced are missing, torn or out of order, and the log, which nobody syncs, lost its end. Each time the agent
has to catch up: every line once in the archive, every line at the receiver or among the dead letters, and no gap. Exit
code 0 when that holds, 1 when it does not, 2 for wrong usage. Needs Linux and a C compiler (cc, or CC).

  --seed N      decides the log, the kills and the moments, default: from the clock; the same seed gives the same schedule,
                and another record, since the machine is another each time
  --points N    moments in all, default 400 (three minutes)
  --ci          for 90 seconds: the seeds that once failed, then new ones
  --replay DIR  the violations of a run that was kept, on its very record
  --help

Example: npm run torture:power-loss -- --seed 7 --points 100
`;

const DEFAULT_POINTS = 400;
const CI_MS = 90_000;
/** Of one seed in CI: more seeds are worth more than more moments of one. */
const CI_POINTS = 60;

/** The second log of a seed is one that no other seed has. */
const SECOND_SEED = 1_000_000_000;

interface Options {
  readonly help: boolean;
  readonly ci: boolean;
  readonly replay: string | undefined;
  readonly seed: number;
  readonly points: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      points: { type: 'string' },
      ci: { type: 'boolean', default: false },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    help: values.help,
    ci: values.ci,
    replay: values.replay,
    seed: wholeNumber('seed', values.seed, Date.now() % 1_000_000),
    points: wholeNumber('points', values.points, DEFAULT_POINTS),
  };
}

function wholeNumber(name: string, text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RangeError(`--${name} ${text}: expected a whole number`);
}

const tell = (text: string): void => void process.stdout.write(`${text}\n`);

/** Three records of one seed, two of them at a time: two hosts that lose power, and one whose agent is only killed. */
async function runSeed(seed: number, points: number, until?: number): Promise<TrialResult> {
  const kills = Math.ceil(points / 10);
  const first = Math.ceil((points - kills) / 2);
  const trial = (options: Pick<TrialOptions, 'keys' | 'points' | 'seed'>): Promise<TrialResult> =>
    runTrial({ ...options, ...(until === undefined ? {} : { until }), tell });
  const results = await Promise.all([
    trial({ seed, keys: { durability: 'disk', compress: 'gzip' }, points: first }),
    trial({ seed, keys: { durability: 'process', compress: 'gzip' }, points: kills }).then(async (killed) => {
      const keys = { durability: 'disk', compress: 'zstd' } as const;
      return sum([killed, await trial({ seed: seed + SECOND_SEED, keys, points: points - kills - first })]);
    }),
  ]);
  return sum(results);
}

function sum(results: readonly TrialResult[]): TrialResult {
  const total = (of: (result: TrialResult) => number): number =>
    results.reduce((before, result) => before + of(result), 0);
  return {
    points: total((one) => one.points),
    lines: total((one) => one.lines),
    violations: total((one) => one.violations),
  };
}

async function runForCi(): Promise<TrialResult> {
  const until = performance.now() + CI_MS;
  const results: TrialResult[] = [];
  const seeds = [...FAILED_SEEDS];
  while (performance.now() < until) {
    const seed = seeds.shift() ?? Date.now() % 1_000_000;
    results.push(await runSeed(seed, CI_POINTS, until));
    report(`seed ${seed}`, results.at(-1)!);
  }
  return sum(results);
}

function report(what: string, { points, lines, violations }: TrialResult): void {
  tell(`power loss: ${what}, ${points} points, ${lines} lines checked, ${violations} violations`);
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`power loss: ${(error as Error).message}\nTry npm run torture:power-loss -- --help\n`);
    return 2;
  }
  const { ci, seed, points } = options;
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const reason = shimObstacle();
  if (reason !== undefined) {
    tell(`power loss: skipped: ${reason}`);
    // Whoever asked for it wants to know; CI goes on, and says so.
    return ci ? 0 : 1;
  }
  let result: TrialResult;
  if (options.replay !== undefined) {
    result = await replay(options.replay, tell);
    report(`replay of ${options.replay}`, result);
  } else if (ci) {
    result = await runForCi();
    report('all seeds', result);
  } else {
    result = await runSeed(seed, points);
    report(`seed ${seed}`, result);
  }
  return result.violations === 0 ? 0 : 1;
}

process.exit(await main());
