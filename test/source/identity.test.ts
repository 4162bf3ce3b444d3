import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { SourceConfig } from '../../src/config/types.ts';
import { backupName } from '../helpers/lumberjack.ts';
import { SourceHarness } from './source-harness.ts';

const SAME_FIRST = '{"t":1790000000000,"first":"the same in each file"}';

/** Different lines behind one first line; `mark` makes them those of one file. */
function content(mark: string, count: number): string[] {
  return [SAME_FIRST, ...Array.from({ length: count }, (_, n) => `{"t":${1_790_000_000_001 + n},"file":"${mark}"}`)];
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

async function withSource(
  run: (harness: SourceHarness, dir: string) => Promise<void>,
  config: Partial<SourceConfig> = {},
): Promise<void> {
  await using harness = new SourceHarness(config);
  const dir = path.dirname(harness.log);
  fs.mkdirSync(dir, { recursive: true });
  await run(harness, dir);
}

function assertLines(harness: SourceHarness, expected: readonly string[]): void {
  assert.deepEqual(harness.taken.toSorted(), expected.toSorted());
}

const BACKUPS = ['audit-2026-11-20T15-04-05.001.log', 'audit-2026-11-20T16-04-05.001.log'] as const;

test('rotated parts with one first line are all read whole', () =>
  withSource(async (harness, dir) => {
    const a = content('a', 30);
    const b = content('b', 30);
    fs.writeFileSync(path.join(dir, BACKUPS[0]), text(a));
    fs.writeFileSync(path.join(dir, BACKUPS[1]), text(b));
    await harness.settle();
    assertLines(harness, [...a, ...b]);
    await harness.stop();
    harness.start();
    await harness.settle();
    assertLines(harness, [...a, ...b]);
    assert.deepEqual(harness.gaps(), []);
  }));

for (const fate of [
  'stays',
  'is gzipped',
  'is gzipped while the agent is down',
  'is pruned',
  'is pruned after a restart',
]) {
  for (const size of ['longer', 'shorter'] as const) {
    test(`a live file begins like its predecessor and is ${size}; the predecessor ${fate}`, () =>
      withSource(async (harness, dir) => {
        const backup = path.join(dir, BACKUPS[0]);
        const a = content('a', 10);
        const b = content('b', size === 'longer' ? 25 : 4);
        fs.writeFileSync(harness.log, text(a.slice(0, 6)));
        await harness.read();
        await harness.commit();
        fs.appendFileSync(harness.log, text(a.slice(6)));
        if (fate.includes('down')) await harness.stop();
        fs.renameSync(harness.log, backup);
        if (fate.includes('pruned')) {
          await harness.settle();
          if (fate.includes('restart')) {
            await harness.stop();
            harness.start();
          }
        }
        fs.writeFileSync(harness.log, text(b));
        if (fate.includes('pruned')) fs.rmSync(backup);
        if (fate.includes('gzipped')) {
          fs.writeFileSync(`${backup}.gz`, gzipSync(fs.readFileSync(backup)));
          fs.rmSync(backup);
        }
        if (fate.includes('down')) harness.start();
        await harness.settle();
        assertLines(harness, [...a, ...b]);
        assert.deepEqual(harness.gaps(), []);
        fs.appendFileSync(harness.log, text(['{"t":1790000001000}']));
        await harness.settle();
        assertLines(harness, [...a, ...b, '{"t":1790000001000}']);
      }));
  }
}

test('numbered parts with one first line are shifted and gzipped while the agent is down', () =>
  withSource(async (harness) => {
    const older = content('older', 12);
    const newer = content('newer', 15);
    fs.writeFileSync(`${harness.log}.2`, text(older));
    fs.writeFileSync(`${harness.log}.1`, text(newer.slice(0, 8)));
    await harness.read();
    await harness.stop();
    fs.writeFileSync(`${harness.log}.3.gz`, gzipSync(text(older)));
    fs.writeFileSync(`${harness.log}.2.gz`, gzipSync(text(newer)));
    fs.rmSync(`${harness.log}.2`);
    fs.rmSync(`${harness.log}.1`);
    harness.start();
    await harness.settle();
    assertLines(harness, [...older, ...newer]);
    assert.deepEqual(harness.gaps(), []);
  }));

test('a hard link is the same file', () =>
  withSource(async (harness, dir) => {
    const a = content('a', 5);
    fs.writeFileSync(harness.log, text(a));
    fs.linkSync(harness.log, path.join(dir, BACKUPS[0]));
    await harness.settle();
    assertLines(harness, a);
    // lumberjack on a file system without rename: the old name goes.
    fs.rmSync(harness.log);
    const b = content('b', 5);
    fs.writeFileSync(harness.log, text(b));
    await harness.settle();
    assertLines(harness, [...a, ...b]);
  }));

test('at the first start, a copy and a gzip beside their originals are read once', () =>
  withSource(async (harness, dir) => {
    const a = content('a', 5);
    const b = content('b', 7);
    fs.writeFileSync(path.join(dir, BACKUPS[0]), text(a));
    fs.writeFileSync(path.join(dir, `${BACKUPS[0]}.gz`), gzipSync(text(a)));
    fs.writeFileSync(harness.log, text(b));
    fs.writeFileSync(`${harness.log}.1`, text(b));
    await harness.settle();
    assertLines(harness, [...a, ...b]);
    assert.deepEqual(harness.gaps(), []);
  }));

test('a file from the future is not waited for until that time', () =>
  withSource(async (harness, dir) => {
    const later = new Date(Date.now() + 3_600_000);
    const short = path.join(dir, BACKUPS[0]);
    fs.writeFileSync(short, '{"t":1,"without":"newline"}');
    const damaged = path.join(dir, `${BACKUPS[1]}.gz`);
    fs.writeFileSync(damaged, gzipSync(text(content('a', 5))).subarray(0, -4));
    for (const file of [short, damaged]) fs.utimesSync(file, later, later);
    await harness.settle();
    await harness.settle();
    assertLines(harness, ['{"t":1,"without":"newline"}', ...content('a', 5)]);
    assert.equal(harness.source.isDrained, true);
  }));

test('more rotated parts than are held open at once are all read before the source is drained', () =>
  withSource(async (harness, dir) => {
    const expected: string[] = [];
    for (let n = 0; n < 1030; n += 1) {
      const line = `{"t":${1_790_000_000_000 + n}}`;
      expected.push(line);
      fs.writeFileSync(path.join(dir, backupName('audit.log', 1_790_000_000_000 + n)), `${line}\n`);
    }
    harness.pass(6_000);
    await harness.read();
    await harness.read();
    assert.equal(harness.source.isDrained, false);
    await harness.commit();
    await harness.settle();
    assertLines(harness, expected);
    assert.equal(harness.source.isDrained, true);
  }));

test('a glob of live files finds their rotated parts, which it does not match', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-globbed-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const log = path.join(dir, 'node', 'audit.log');
  fs.mkdirSync(path.dirname(log));
  const [a, b, c] = [content('a', 3), content('b', 4), content('c', 5)];
  fs.writeFileSync(log, text(a));
  fs.writeFileSync(`${log}.1`, text(b));
  fs.writeFileSync(path.join(dir, 'node', `${BACKUPS[0]}.gz`), gzipSync(text(c)));
  await using harness = new SourceHarness({ path: path.join(dir, '*', 'audit.log') });
  await harness.settle();
  assertLines(harness, [...a, ...b, ...c]);
});
