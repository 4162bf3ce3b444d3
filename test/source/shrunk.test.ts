import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { SourceHarness } from './source-harness.ts';
import { assertAll, assertAllForGood, type Log, lines, withLog } from './written-log.ts';

function bytes(some: readonly string[]): number {
  return some.reduce((sum, line) => sum + line.length + 1, 0);
}

function ranges(harness: SourceHarness): (number | undefined)[][] {
  return harness.gaps().map(({ startOffset, endOffset }) => [startOffset, endOffset]);
}

/** Some lines are read and committed, and more are seen, and not read. */
async function begin(harness: SourceHarness, log: Log): Promise<void> {
  log.write(lines(20));
  await harness.read();
  await harness.commit();
  log.write(lines(20));
  await harness.source.sweep();
}

/** What is lost is told from a line's beginning on, whatever is left of that line. */
for (const within of [0, 25]) {
  test(`a log loses lines that were seen and not read${within > 0 ? ', within a line' : ''}: a gap`, () =>
    withLog(async (harness, log) => {
      await begin(harness, log);
      const seen = bytes(log.written);
      const lost = log.written.splice(30);
      fs.truncateSync(log.path, bytes(log.written) + within);
      await harness.read();
      const [first, ...others] = lines(60);
      fs.appendFileSync(log.path, [first, ...others].map((line) => `${line}\n`).join(''));
      await harness.settle();
      assertAll(harness, [...log.written, lost[0]!.slice(0, within) + first!, ...others]);
      assert.deepEqual(ranges(harness), [[bytes(log.written), seen]]);
    }));
}

test('a log loses lines that were seen and not read while the agent is down: a gap', () =>
  withLog(async (harness, log) => {
    await begin(harness, log);
    const seen = bytes(log.written);
    // A rename tells what was seen durably.
    const moved = log.rotate();
    await harness.source.sweep();
    await harness.crash();
    log.written.splice(30);
    const left = bytes(log.written);
    fs.truncateSync(moved, left);
    const later = lines(5);
    log.write(later);
    harness.start();
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(ranges(harness), [[left, seen]]);
    await harness.stop();
    harness.start();
    await harness.settle();
    assert.equal(harness.gaps().length, 1);
  }));

test('a copy lacks what was seen between copying and truncating: a gap', () =>
  withLog(async (harness, log) => {
    await begin(harness, log);
    fs.copyFileSync(log.path, `${log.path}.1`);
    const copied = [...log.written];
    log.write(lines(4));
    await harness.source.sweep();
    const seen = bytes(log.written);
    fs.truncateSync(log.path);
    const later = lines(60);
    fs.appendFileSync(log.path, later.map((line) => `${line}\n`).join(''));
    await harness.settle();
    await harness.settle();
    assertAll(harness, [...copied, ...later]);
    assert.deepEqual(ranges(harness), [[bytes(copied), seen]]);
    // For good: nothing is opened again for what is nowhere to be read.
    assert.deepEqual(
      harness.source.segments().map(({ live }) => live),
      [true],
    );
    await harness.stop();
    harness.start();
    await harness.settle();
    assert.equal(harness.gaps().length, 1);
  }));

test('a log that shrank grows again while what was read before is committed: a gap', () =>
  withLog(async (harness, log) => {
    await begin(harness, log);
    const seen = bytes(log.written);
    log.written.splice(30);
    const left = bytes(log.written);
    fs.truncateSync(log.path, left);
    const later = lines(60);
    const { commit } = harness;
    harness.commit = async () => {
      harness.commit = commit;
      log.write(later);
      await harness.commit();
    };
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(ranges(harness), [[left, seen]]);
  }));

test('a rotated part that was never live loses what a rewind dropped: a gap', () =>
  withLog(async (harness, log) => {
    log.write(lines(30));
    const backup = log.rotate();
    log.write(lines(5));
    await harness.read();
    const seen = fs.statSync(backup).size;
    const left = bytes(log.written.slice(0, 20));
    fs.truncateSync(backup, left);
    harness.rewind();
    await harness.settle();
    log.written.splice(20, 10);
    assertAll(harness, log.written);
    assert.deepEqual(ranges(harness), [[left, seen]]);
  }));

test('a log that is written anew with what it had is not read again', () =>
  withLog(async (harness, log) => {
    log.write(lines(40));
    await harness.settle();
    const content = fs.readFileSync(log.path);
    const { commit } = harness;
    harness.commit = async () => {
      harness.commit = commit;
      fs.writeFileSync(log.path, content);
      await harness.commit();
    };
    fs.truncateSync(log.path, 100);
    log.write([]);
    await harness.settle();
    log.write(lines(10));
    await harness.settle();
    await assertAllForGood(harness, log.written);
  }));
