import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { PacedSink } from './paced-sink.ts';
import type { SourceHarness } from './source-harness.ts';
import { assertAll, type Log, lines, withLog } from './written-log.ts';

/** How many lines stand in the log at each point: committed, read besides, left by the cut, written afterwards. */
const COMMITTED = 20;
const READ = 30;
const LEFT = 27;

function bytes(some: readonly string[]): number {
  return some.reduce((sum, line) => sum + line.length + 1, 0);
}

/** Commits some lines, and reads some more. */
async function begin(harness: SourceHarness, log: Log): Promise<void> {
  log.write(lines(COMMITTED));
  await harness.read();
  await harness.commit();
  log.write(lines(READ - COMMITTED));
  await harness.read();
}

/** The log loses what stands behind so many lines; gives the lines that it lost. */
function cut(log: Log, left: number, within = 0): string[] {
  const lost = log.written.splice(left);
  fs.truncateSync(log.path, bytes(log.written) + within);
  return lost;
}

function ranges(harness: SourceHarness): (number | undefined)[][] {
  return harness.gaps().map(({ startOffset, endOffset }) => [startOffset, endOffset]);
}

/** What becomes of the lines that were read and not committed, and by how much the log grows before anybody looks. */
const orders = {
  'before the commit fails': (harness: SourceHarness, cutIt: () => void) => {
    cutIt();
    harness.rewind();
  },
  'after it failed': (harness: SourceHarness, cutIt: () => void) => {
    harness.rewind();
    cutIt();
  },
  'between two failures': (harness: SourceHarness, cutIt: () => void) => {
    harness.rewind();
    cutIt();
    harness.rewind();
  },
  'before a reload whose commit fails': async (harness: SourceHarness, cutIt: () => void) => {
    cutIt();
    await harness.reload({ commits: false });
  },
  'after a reload whose commit failed': async (harness: SourceHarness, cutIt: () => void) => {
    await harness.reload({ commits: false });
    cutIt();
  },
};

for (const [when, happens] of Object.entries(orders)) {
  for (const later of [0, 1, 60]) {
    for (const within of [0, 25]) {
      test(`the log loses lines ${when}, ${within > 0 ? 'within a line, ' : ''}and ${later} others follow: a gap`, () =>
        withLog(async (harness, log) => {
          await begin(harness, log);
          let lost: string[] = [];
          const added = lines(later);
          await happens(harness, () => {
            lost = cut(log, LEFT, within);
            fs.appendFileSync(log.path, added.map((line) => `${line}\n`).join(''));
          });
          await harness.settle();
          const torn = lost[0]!.slice(0, within);
          const glued = within === 0 ? added : later > 0 ? [torn + added[0]!, ...added.slice(1)] : [];
          assertAll(harness, [...log.written, ...glued]);
          const from = bytes(log.written);
          assert.deepEqual(ranges(harness), [[from, from + bytes(lost)]]);
          await harness.stop();
          harness.start();
          await harness.settle();
          assertAll(harness, [...log.written, ...glued]);
          assert.equal(harness.gaps().length, 1);
        }));
    }
  }
}

test('the times of such a gap are those of events around it', () =>
  withLog(async (harness, log) => {
    await begin(harness, log);
    cut(log, LEFT);
    harness.rewind();
    log.write(lines(40));
    await harness.settle();
    const times = log.written.map((line) => Number(/"t":(\d+)/.exec(line)![1]));
    const [gap] = harness.gaps();
    assert.ok(gap!.beforeTime! <= times[LEFT - 1]!, 'what comes before the gap');
    assert.ok(times.includes(gap!.beforeTime!));
  }));

test('what is read again after a rewind is no gap when it is cut off afterwards', () =>
  withLog(async (harness, log) => {
    await begin(harness, log);
    harness.rewind();
    await harness.read();
    await harness.commit();
    const read = [...log.written];
    cut(log, LEFT);
    const later = lines(60);
    log.write(later);
    await harness.settle();
    assertAll(harness, [...read, ...later]);
    assert.deepEqual(harness.gaps(), []);
  }));

test('the log loses lines that were committed and others that a rewind dropped: the latter are a gap', () =>
  withLog(async (harness, log) => {
    await begin(harness, log);
    const committed = log.written.slice(0, COMMITTED);
    const seen = bytes(log.written);
    cut(log, 12);
    harness.rewind();
    const later = lines(60);
    log.write(later);
    await harness.settle();
    assertAll(harness, [...committed, ...later]);
    assert.deepEqual(ranges(harness), [[bytes(committed), seen]]);
  }));

test('lines that a failed commit held are followed besides those that came after it', () =>
  withLog(async (harness, log) => {
    await begin(harness, log);
    // The commit is begun, and never stored.
    harness.source.progress();
    log.write(lines(10));
    await harness.read();
    const lost = cut(log, 33);
    harness.rewind();
    const later = lines(60);
    fs.appendFileSync(log.path, later.map((line) => `${line}\n`).join(''));
    await harness.settle();
    assertAll(harness, [...log.written, ...later]);
    assert.deepEqual(ranges(harness), [[bytes(log.written), bytes([...log.written, ...lost])]]);
  }));

for (const isTold of ['before', 'after'] as const) {
  test(`the log is emptied ${isTold} a rewind: what it dropped is a gap`, () =>
    withLog(async (harness, log) => {
      await begin(harness, log);
      const seen = bytes(log.written);
      const committed = log.written.slice(0, COMMITTED);
      if (isTold === 'after') harness.rewind();
      fs.truncateSync(log.path);
      if (isTold === 'before') harness.rewind();
      const later = lines(60);
      fs.appendFileSync(log.path, later.map((line) => `${line}\n`).join(''));
      await harness.settle();
      await harness.settle();
      assertAll(harness, [...committed, ...later]);
      assert.deepEqual(ranges(harness), [[bytes(committed), seen]]);
    }));

  test(`the log is replaced ${isTold} a rewind: the open file still has what it dropped`, () =>
    withLog(async (harness, log) => {
      await begin(harness, log);
      if (isTold === 'after') harness.rewind();
      fs.rmSync(log.path);
      log.write(lines(60));
      if (isTold === 'before') harness.rewind();
      await harness.settle();
      assertAll(harness, log.written);
      assert.deepEqual(harness.gaps(), []);
    }));

  for (const hasArchive of [true, false]) {
    for (const delivered of [true, false]) {
      const sinks = hasArchive ? 'beside the archive' : 'alone';
      const had = delivered ? 'had taken' : 'was handed';
      test(`a sink at its own pace, ${sinks}, gets what stands where the lines ${isTold} a rewind stood that it ${had}`, () =>
        withLog(async (harness, log) => {
          const paced = new PacedSink('paced');
          await harness.stop();
          harness.paced = [paced];
          harness.hasArchive = hasArchive;
          harness.start();
          await begin(harness, log);
          if (delivered) paced.takeAll();
          const all = [...log.written];
          if (isTold === 'after') harness.rewind();
          cut(log, LEFT);
          if (isTold === 'before') harness.rewind();
          const later = lines(60);
          log.write(later);
          await harness.drain();
          // It had them, and has them: the file sinks alone lack them.
          assert.deepEqual(paced.handed, [...all, ...later]);
          if (!hasArchive) return assert.deepEqual(harness.gaps(), []);
          assertAll(harness, log.written);
          const from = bytes(all.slice(0, LEFT));
          assert.deepEqual(ranges(harness), [[from, bytes(all)]]);
        }));
    }
  }
}

test('a sink at its own pace that lacked what is gone loses it with the file sinks, and goes on behind it', () =>
  withLog(async (harness, log) => {
    const paced = new PacedSink('paced');
    await harness.stop();
    harness.paced = [paced];
    harness.start();
    paced.hasRoom = false;
    await begin(harness, log);
    const lost = cut(log, LEFT);
    harness.rewind();
    const later = lines(60);
    log.write(later);
    await harness.drain();
    assertAll(harness, log.written);
    assert.deepEqual(paced.handed, log.written);
    const from = bytes(log.written.slice(0, LEFT));
    assert.deepEqual(ranges(harness), [[from, from + bytes(lost)]]);
  }));
