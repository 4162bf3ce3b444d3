/**
 * `npm run demo`: a writer that behaves like the kube-apiserver, the real agent killed with SIGKILL again and again, and
 * an independent reader that compares what was written with what was archived; with `--http` also with what receivers got
 * that failed again and again.
 */
import { mkdtempSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeWithParent } from '../test/helpers/children.ts';
import { isFaultless, printReport } from './report.ts';
import { runScenario } from './scenario.ts';
import { count, Screen } from './screen.ts';

const HELP = `Usage: npm run demo -- [options]

Writes an audit log as the kube-apiserver does, with rotation, gzip and pruning, while auditail archives it and is killed
with SIGKILL several times; then reads the archive back and compares. Exit code 0 when nothing is lost, repeated, foreign
or in a wrong file, 1 when something is, 2 for wrong usage.

  --events N   events to write, default 200000 (about 300 MB, 40 seconds), with --http 150000 (a minute)
  --seed N     decides the events and the moments of the kills, default: from the clock
  --keep       keeps the directory and prints it
  --http       also sends to an Elasticsearch and an NDJSON receiver, which are away or fail for most of the time: exit code
               0 only when both have everything, Elasticsearch nothing twice, and there is no dead letter
  --help

Examples: npm run demo -- --http
          npm run demo -- --events 50000 --seed 7 --keep
`;

const DEFAULT_EVENTS = 200_000;
const DEFAULT_EVENTS_WITH_HTTP = 150_000;

function parseInteger(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min || text.trim() === '') {
    throw new RangeError(`--${name} ${text}: expected a whole number of at least ${min}`);
  }
  return value;
}

function readOptions(): { help: boolean; keep: boolean; http: boolean; events: number; seed: number } {
  const { values } = parseArgs({
    options: {
      events: { type: 'string' },
      seed: { type: 'string' },
      keep: { type: 'boolean', default: false },
      http: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const defaultEvents = values.http ? DEFAULT_EVENTS_WITH_HTTP : DEFAULT_EVENTS;
  return {
    help: values.help,
    keep: values.keep,
    http: values.http,
    events: values.events === undefined ? defaultEvents : parseInteger('events', values.events, 1000),
    seed: values.seed === undefined ? Date.now() % 1_000_000 : parseInteger('seed', values.seed, 0),
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message}\nTry npm run demo -- --help\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }

  const screen = new Screen(process.stdout);
  const directory = mkdtempSync(join(tmpdir(), 'auditail-demo-'));
  // Through process.exit(), which ends the children and removes the directory.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      screen.endLive();
      process.stdout.write(`\ndemo: ended by ${signal}\n`);
      process.exit(128 + constants.signals[signal]);
    });
  }

  if (!options.keep) removeWithParent(directory);
  screen.print(`${count(options.events)} events, seed ${options.seed}${options.keep ? `, in ${directory}` : ''}`);
  try {
    const result = await runScenario({ ...options, directory }, screen);
    if (options.keep) screen.print(`kept: ${directory} (log, ledger, archive, state)`);
    printReport(screen, result);
    return isFaultless(result) ? 0 : 1;
  } catch (error) {
    screen.endLive();
    process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

process.exit(await main());
