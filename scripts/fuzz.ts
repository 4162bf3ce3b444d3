import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

const ROOT = path.resolve(import.meta.dirname, '..');

/** Seeds that fast-check takes. */
const SEEDS = 2 ** 31;

/** A round of all files takes about half a minute; one that takes so long hangs. */
const HANG_MS = 15 * 60_000;

interface Options {
  readonly minutes: number;
  readonly runs: number;
  readonly seed: number | undefined;
  readonly only: string | undefined;
}

const program = new Command('npm run fuzz --')
  .description(
    'Runs all test/**/*.fuzz.test.ts again and again with new seeds, until the time is over or a round fails.',
  )
  .option('--minutes <n>', 'how long to begin new rounds', positive, 5)
  .option('--runs <n>', 'how many times as often as npm test each property is tried in a round', positive, 1)
  .option('--seed <n>', 'one round with this seed', Number)
  .option('--only <text>', 'only files whose path has this text')
  .addHelpText('after', '\nExamples:\n  npm run fuzz -- --minutes 30\n  npm run fuzz -- --seed 7 --only spool');

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return number;
}

/** Runs all files once; resolves to whether that went well. */
function round(files: readonly string[], seed: number, runs: number): Promise<boolean> {
  const args = ['--test', '--test-concurrency=2', '--test-reporter=dot', ...files];
  const env = { ...process.env, AUDITAIL_FUZZ_SEED: String(seed), AUDITAIL_FUZZ_RUNS: String(runs) };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env });
  const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

async function main({ minutes, runs, seed, only }: Options): Promise<number> {
  const files = globSync('test/**/*.fuzz.test.ts', { cwd: ROOT })
    .filter((file) => only === undefined || file.includes(only))
    .sort();
  if (files.length === 0) throw new Error(`no test/**/*.fuzz.test.ts has ${only} in its path`);
  const end = performance.now() + minutes * 60_000;
  let rounds = 0;
  do {
    const chosen = seed ?? Math.floor(Math.random() * SEEDS);
    process.stdout.write(`round ${rounds + 1}, seed ${chosen}, ${files.length} files\n`);
    if (!(await round(files, chosen, runs))) {
      const rest = `${runs === 1 ? '' : ` --runs ${runs}`}${only === undefined ? '' : ` --only ${only}`}`;
      process.stdout.write(`\nfailed; the same again: npm run fuzz -- --seed ${chosen}${rest}\n`);
      return 1;
    }
    rounds += 1;
  } while (seed === undefined && performance.now() < end);
  process.stdout.write(`\n${rounds} round${rounds === 1 ? '' : 's'} without a failure\n`);
  return 0;
}

process.exitCode = await main(program.parse().opts<Options>());
