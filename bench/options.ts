import { parseArgs } from 'node:util';
import { BENCHMARKS } from './benchmarks.ts';
import type { Benchmark, Extent } from './harness/benchmark.ts';

const FULL: Extent = {
  catchUpBytes: 860e6,
  inputBytes: 215e6,
  rounds: 5,
  memoryBytes: [0.2e9, 1e9, 4e9],
  steadySeconds: 20,
  restSeconds: 12,
  idleSeconds: 20,
  allReferences: true,
};

const QUICK: Extent = { ...FULL, catchUpBytes: 100e6, inputBytes: 100e6, rounds: 3, allReferences: false };

/** Shows that everything runs. The figures mean nothing. */
const SMOKE: Extent = {
  catchUpBytes: 3e6,
  inputBytes: 3e6,
  rounds: 1,
  memoryBytes: [1e6, 3e6],
  steadySeconds: 2,
  restSeconds: 1,
  idleSeconds: 2,
  allReferences: true,
};

export const HELP = `Usage: npm run bench -- [options]

Measures auditail, as whole processes on made-up audit events, against what does the same or a part of it, in turns; prints
each figure with its target. Exit code 0 whatever the figures are, 1 when something failed to run, 2 for wrong usage.

  --quick        the first rows only, with a smaller input: under a minute; all of it takes ten
  --smoke        everything, on so small an input that the figures mean nothing: shows that it all runs
  --rows A,B     these rows only:
${BENCHMARKS.map(({ name, about }) => `                   ${name.padEnd(14)}${about}`).join('\n')}
  --rounds N     runs of each contender, default 5, with --quick 3
  --json FILE    also writes the figures into FILE; what it has of other rows, measured on the same machine, stays
  --help

Examples: npm run bench -- --quick
          npm run bench -- --rows catch-up,http --json bench/results/bench.json
`;

export interface BenchOptions {
  readonly help: boolean;
  readonly benchmarks: readonly Benchmark[];
  readonly extent: Extent;
  readonly json: string | undefined;
  readonly smoke: boolean;
}

/** @throws Error for what is wrong with the arguments. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.quick && values.smoke) throw new RangeError('--quick and --smoke: give one of them');
  const base = values.quick ? QUICK : values.smoke ? SMOKE : FULL;
  const rounds = values.rounds === undefined ? base.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds ${values.rounds}: expected 1, 2, 3 or more`);
  return {
    help: values.help,
    benchmarks:
      values.rows === undefined ? BENCHMARKS.filter(({ quick }) => quick || !values.quick) : named(values.rows),
    extent: { ...base, rounds },
    json: values.json,
    smoke: values.smoke,
  };
}

function named(rows: string): Benchmark[] {
  return rows.split(',').map((name) => {
    const found = BENCHMARKS.find((benchmark) => benchmark.name === name);
    if (found !== undefined) return found;
    throw new RangeError(
      `--rows ${rows}: no row is named ${name}; there are ${BENCHMARKS.map((b) => b.name).join(', ')}`,
    );
  });
}
