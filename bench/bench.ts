/** `npm run bench`: measures auditail against its references, and prints the figures with their targets. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Screen } from '../demo/screen.ts';
import { removeWithParent } from '../test/helpers/children.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { InputStore } from './harness/input-store.ts';
import { installProgram } from './harness/installed-program.ts';
import { currentCommit, describeMachine } from './harness/machine.ts';
import { DISTURBING_LOAD, otherLoad } from './harness/other-load.ts';
import { type Entry, writeResults } from './harness/results-file.ts';
import { figureTable } from './harness/table.ts';
import { type BenchOptions, HELP, readOptions } from './options.ts';

async function main(): Promise<number> {
  let options: BenchOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\nTry npm run bench -- --help\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.platform !== 'linux') {
    process.stderr.write('bench: CPU, memory and positions of processes are read from /proc, which only Linux has\n');
    return 1;
  }
  const screen = new Screen(process.stdout);
  const scratch = mkdtempSync(join(tmpdir(), 'auditail-bench-'));
  removeWithParent(scratch);
  const machine = describeMachine();
  try {
    // For every agent that is started from here on.
    process.env.AUDITAIL_BIN ??= installProgram(join(scratch, 'installed'));
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    return 1;
  }
  screen.print(`${machine.cores} cores of ${machine.cpu}, ${machine.kernel}, Node ${machine.node}`);

  const entries: Record<string, Entry> = {};
  let failed = 0;
  for (const benchmark of options.benchmarks) {
    screen.print(screen.style('bold', `${benchmark.name}: ${benchmark.about}`));
    try {
      entries[benchmark.name] = await runOne(benchmark, options, scratch, screen);
    } catch (error) {
      failed++;
      process.stderr.write(`bench: ${benchmark.name}: ${error instanceof Error ? error.message : error}\n`);
    }
  }
  const figures = Object.values(entries).flatMap((entry) => entry.figures);
  if (options.smoke) screen.print('The input is too small for the figures to mean anything: they show that all ran.');
  screen.print(figureTable(figures, (colour, text) => screen.style(colour, text), screen.isTTY));
  if (options.json !== undefined) writeResults(options.json, { machine, benchmarks: entries });
  if (failed > 0) screen.print(screen.style('red', `${failed} of ${options.benchmarks.length} rows failed to run`));
  return failed === 0 ? 0 : 1;
}

async function runOne(benchmark: Benchmark, { extent }: BenchOptions, root: string, screen: Screen): Promise<Entry> {
  const scratch = join(root, benchmark.name);
  mkdirSync(scratch);
  const threads = availableParallelism();
  const tell = (line: string): void => screen.print(`  ${line}`);
  const load = otherLoad();
  try {
    const outcome = await benchmark.run({ extent, scratch, threads, tell, inputs: new InputStore(tell) });
    const share = load();
    if (share > DISTURBING_LOAD) {
      tell(screen.style('yellow', `other work had ${(share * 100).toFixed(0)} % of the cores meanwhile`));
    }
    const date = new Date().toISOString().slice(0, 10);
    return { date, commit: currentCommit(), otherLoad: share, inputBytes: extent.inputBytes, ...outcome };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

process.exit(await main());
