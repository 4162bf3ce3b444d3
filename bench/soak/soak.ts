/**
 * `npm run soak`: hours of an apiserver's life in minutes. A steady writer, rotation, restarts; then memory and descriptors
 * are judged, and the archive is read back and compared.
 */
import { mkdtempSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Screen } from '../../demo/screen.ts';
import { removeWithParent } from '../../test/helpers/children.ts';
import { installProgram } from '../harness/installed-program.ts';
import { currentCommit, describeMachine } from '../harness/machine.ts';
import { printSoak } from './soak-report.ts';
import { isExact, isFlat, judge, writeSoakResult } from './soak-result.ts';
import { runSoak } from './soak-run.ts';

const HELP = `Usage: npm run soak -- [options]

Writes an audit log at 5 MB/s with a rotation every four seconds, while auditail archives it; restarts it six times in the
first quarter, by SIGKILL and SIGTERM in turns. Then compares its resident memory and descriptors of the last quarter
with those of the second, and the archive with what was written. Exit code 0 when neither grew and each event is there
once, 1 otherwise, 2 for wrong usage.

  --minutes N   how long is written, default 30; below 5 growth is not judged. 30 minutes need 1.5 GB of disk
  --seed N      decides the events, default 1
  --json FILE   also writes the result and the samples into FILE
  --help

Example: npm run soak -- --minutes 30 --json bench/results/soak.json
`;

const MIN_MINUTES = 0.1;

interface Options {
  readonly help: boolean;
  readonly minutes: number;
  readonly seed: number;
  readonly json: string | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes >= MIN_MINUTES && minutes < Number.POSITIVE_INFINITY))
    throw new RangeError(`--minutes ${values.minutes}: expected at least ${MIN_MINUTES}`);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`--seed ${values.seed}: expected a whole number`);
  return { help: values.help, minutes, seed, json: values.json };
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`soak: ${(error as Error).message}\nTry npm run soak -- --help\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.platform !== 'linux') {
    process.stderr.write('soak: memory and descriptors are read from /proc, which only Linux has\n');
    return 1;
  }
  const screen = new Screen(process.stdout);
  const directory = mkdtempSync(join(tmpdir(), 'auditail-soak-'));
  removeWithParent(directory);
  // Through process.exit(), which ends the children and removes the directory.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  try {
    // For every agent that is started from here on.
    process.env.AUDITAIL_BIN ??= installProgram(join(directory, 'installed'));
    const { minutes, seed } = options;
    const run = await runSoak({ directory, minutes, seed }, screen);
    const about = { date: new Date().toISOString().slice(0, 10), commit: currentCommit(), machine: describeMachine() };
    const result = judge(run, { ...about, minutes });
    printSoak(screen, result);
    if (options.json !== undefined) writeSoakResult(options.json, result);
    if (isExact(result) && isFlat(result)) return 0;
    for (const warning of run.warnings) screen.print(`  ${warning}`);
    return 1;
  } catch (error) {
    screen.endLive();
    process.stderr.write(`soak: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

process.exit(await main());
