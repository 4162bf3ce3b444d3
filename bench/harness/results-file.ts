import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Outcome } from './benchmark.ts';
import type { Machine } from './machine.ts';

/** What one benchmark found, and when. */
export interface Entry extends Outcome {
  /** ISO 8601, to the day. */
  readonly date: string;
  readonly commit: string | undefined;
  /** Share of the cores that other work had meanwhile, 0 to 1. Much of it makes the figures doubtful. */
  readonly otherLoad: number;
  readonly inputBytes: number;
}

export interface Results {
  readonly machine: Machine;
  /** By the benchmark's name. */
  readonly benchmarks: Readonly<Record<string, Entry>>;
}

/** @throws SyntaxError for what is no JSON. */
export function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}

/**
 * Puts results into a file. What it has of other benchmarks stays, so that a long run can be made in parts; unless it is
 * of another machine, for then the figures do not belong beside each other.
 */
export function writeResults(path: string, results: Results): void {
  const before = existsSync(path) ? readResults(path) : undefined;
  const same = before !== undefined && isSameMachine(before.machine, results.machine);
  const benchmarks = { ...(same ? before.benchmarks : {}), ...results.benchmarks };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ machine: results.machine, benchmarks }, round, 2)}\n`);
}

function isSameMachine(a: Machine, b: Machine): boolean {
  return a.cores === b.cores && a.cpu === b.cpu && a.kernel === b.kernel && a.node === b.node;
}

/** Nobody measures to more than this, and a file of such numbers can be read. */
function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
