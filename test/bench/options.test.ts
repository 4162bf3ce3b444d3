import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Machine } from '../../bench/harness/machine.ts';
import { type Entry, readResults, writeResults } from '../../bench/harness/results-file.ts';
import { HELP, readOptions } from '../../bench/options.ts';
import { removeWithParent } from '../helpers/children.ts';

describe('options of npm run bench', () => {
  test('without any, all rows run; --quick takes the first ones and less input', () => {
    const all = readOptions([]);
    const quick = readOptions(['--quick']);
    assert.deepEqual(
      all.benchmarks.map(({ name }) => name),
      ['catch-up', 'archive-size', 'http', 'namespaces', 'memory', 'steady', 'idle', 'start-up'],
    );
    assert.deepEqual(
      quick.benchmarks.map(({ name }) => name),
      ['catch-up', 'archive-size'],
    );
    assert.ok(quick.extent.inputBytes < all.extent.inputBytes);
  });

  test('rows and rounds are chosen', () => {
    const { benchmarks, extent } = readOptions(['--rows', 'idle,memory', '--rounds', '7']);
    assert.deepEqual(
      benchmarks.map(({ name }) => name),
      ['idle', 'memory'],
    );
    assert.equal(extent.rounds, 7);
  });

  test('what is wrong is said', () => {
    assert.throws(
      () => readOptions(['--rows', 'catchup']),
      /no row is named catchup; there are catch-up, archive-size/,
    );
    assert.throws(() => readOptions(['--rounds', '0']), /--rounds 0: expected/);
    assert.throws(() => readOptions(['--quick', '--smoke']), /give one of them/);
    assert.throws(() => readOptions(['--fast']), /Unknown option '--fast'/);
  });

  test('the help has an example, and every row', () => {
    assert.match(HELP, /Examples: npm run bench/);
    for (const { name } of readOptions([]).benchmarks) assert.ok(HELP.includes(` ${name} `), name);
  });
});

describe('the results file', () => {
  const machine: Machine = { cores: 2, cpu: 'some', memoryGiB: 4, kernel: 'Linux 6', node: 'v26.10.0', versions: {} };
  const entry = (date: string): Entry => ({ date, commit: 'abc', otherLoad: 1 / 3, inputBytes: 1, figures: [] });

  function fileWith(benchmarks: Record<string, Entry>): string {
    const directory = mkdtempSync(join(tmpdir(), 'auditail-results-'));
    removeWithParent(directory);
    const path = join(directory, 'deep', 'bench.json');
    writeResults(path, { machine, benchmarks });
    return path;
  }

  test('rows that were not measured this time stay', () => {
    const path = fileWith({ idle: entry('2026-01-01'), memory: entry('2026-01-01') });
    writeResults(path, { machine, benchmarks: { idle: entry('2026-01-02') } });
    const { benchmarks } = readResults(path);
    assert.deepEqual(
      Object.entries(benchmarks).map(([name, { date }]) => [name, date]),
      [
        ['idle', '2026-01-02'],
        ['memory', '2026-01-01'],
      ],
    );
  });

  test('rows of another machine do not stay beside these', () => {
    const path = fileWith({ idle: entry('2026-01-01') });
    writeResults(path, { machine: { ...machine, cores: 64 }, benchmarks: { memory: entry('2026-01-02') } });
    assert.deepEqual(Object.keys(readResults(path).benchmarks), ['memory']);
  });

  test('has numbers that can be read', () => {
    assert.match(readFileSync(fileWith({ idle: entry('2026-01-01') }), 'utf8'), /"otherLoad": 0.33333,/);
  });
});
