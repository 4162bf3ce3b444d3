import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { Random } from '../../bench/random.ts';
import { PacedSink } from './paced-sink.ts';
import type { SourceHarness } from './source-harness.ts';
import { assertAll, gzip, type Log, lines, withLog } from './written-log.ts';

const LACKED = 'the file was cut back before the sink slow had got it; the file sinks have it';

test('the log is cut back behind the checkpoint and grows on: nothing twice, nothing lost', async (t) => {
  for (const cut of [0.97, 0.8, 0.5, 0.31, 0.05]) {
    await t.test(`cut at ${cut}`, () =>
      withLog(async (harness, log) => {
        for (let n = 0; n < 8; n += 1) {
          log.write(lines(50));
          await harness.read();
          await harness.commit();
        }
        await harness.stop();
        const content = fs.readFileSync(log.path);
        const at = Math.floor(content.length * cut);
        const end = content.lastIndexOf('\n', at) + 1;
        fs.truncateSync(log.path, end);
        const later = lines(70);
        fs.appendFileSync(log.path, later.map((line) => `${line}\n`).join(''));
        harness.start();
        await harness.settle();
        assert.deepEqual(harness.taken, [...log.written, ...later]);
      }),
    );
  }
});

test('the log is cut back within a line', () =>
  withLog(async (harness, log) => {
    log.write(lines(50));
    await harness.read();
    await harness.commit();
    const size = fs.statSync(log.path).size;
    fs.truncateSync(log.path, size - 70);
    const later = lines(5);
    fs.appendFileSync(log.path, later.map((line) => `${line}\n`).join(''));
    await harness.settle();
    const content = fs.readFileSync(log.path, 'latin1').trimEnd().split('\n');
    assert.deepEqual(harness.taken, [...log.written, ...content.slice(-5)]);
    assert.ok(content.at(-5)!.endsWith(later[0]!));
  }));

/** Takes in so many lines, with one commit. */
async function take(harness: SourceHarness, log: Log, count: number): Promise<void> {
  log.write(lines(count));
  await harness.read();
  await harness.commit();
}

/** Only the first lines of the log are left. */
function cutTo(log: Log, count: number): void {
  const content = fs.readFileSync(log.path, 'latin1').split('\n').slice(0, count);
  fs.truncateSync(log.path, content.join('\n').length + 1);
}

test('the log is cut back behind a place at which a sink at its own pace had something committed alone', () =>
  withLog(async (harness, log) => {
    const slow = new PacedSink('slow');
    await harness.stop();
    harness.paced = [slow];
    harness.start();
    await take(harness, log, 50);
    slow.takeAll();
    await harness.commit();
    await harness.crash();
    cutTo(log, 30);
    const later = lines(40);
    fs.appendFileSync(log.path, later.map((line) => `${line}\n`).join(''));
    harness.start();
    await harness.settle();
    assert.deepEqual(harness.taken, [...log.written, ...later]);
    assert.deepEqual(slow.handed, [...log.written, ...later]);
  }));

test('the log is cut back twice between the same two commits', () =>
  withLog(async (harness, log) => {
    await take(harness, log, 50);
    await take(harness, log, 50);
    for (const left of [70, 75, 72, 60]) {
      await harness.stop();
      cutTo(log, left);
      log.write(lines(10));
      harness.start();
      await harness.settle();
      assertAll(harness, log.written);
    }
  }));

test('the log is cut back, and rotated and gzipped before anybody looks', { timeout: 60_000 }, () =>
  withLog(async (harness, log) => {
    await take(harness, log, 50);
    await take(harness, log, 50);
    await harness.stop();
    cutTo(log, 70);
    log.write(lines(100));
    gzip(log.rotate());
    log.write(lines(5));
    harness.start();
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(harness.gaps(), []);
  }),
);

test('a part that was just rotated loses its end', () =>
  withLog(async (harness, log) => {
    await take(harness, log, 50);
    log.write(lines(30));
    const backup = log.rotate();
    await harness.read();
    log.write(lines(10));
    await harness.read();
    await harness.commit();
    await harness.crash();
    const content = fs.readFileSync(backup, 'latin1').split('\n').slice(0, 65);
    fs.truncateSync(backup, content.join('\n').length + 1);
    harness.start();
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(harness.gaps(), []);
  }));

test('parts that were rotated and finished lose their ends while a sink at its own pace lacks them', () =>
  withLog(async (harness, log) => {
    const slow = new PacedSink('slow');
    await harness.stop();
    harness.paced = [slow];
    harness.start();
    const backups: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let commits = 0; commits < 3; commits += 1) await take(harness, log, 20);
      backups.push(log.rotate());
      log.write(lines(5));
      await harness.settle();
    }
    await harness.crash();
    for (const [index, backup] of backups.entries()) {
      const content = fs.readFileSync(backup, 'latin1').split('\n').slice(0, 50);
      fs.truncateSync(backup, content.join('\n').length + 1);
      if (index === 1) fs.appendFileSync(backup, Buffer.alloc(300));
    }
    harness.start();
    await harness.settle();
    slow.takeAll();
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(
      harness.gaps().map(({ reason }) => reason),
      Array(3).fill(LACKED),
    );
  }));

test(
  'a gzip part damaged before the place that its original was read to is a gap, and nothing comes twice',
  {
    timeout: 60_000,
  },
  () =>
    withLog(async (harness, log) => {
      await take(harness, log, 20_000);
      const read = log.written.length;
      await harness.stop();
      log.write(lines(20_000));
      const gz = gzip(log.rotate());
      fs.truncateSync(gz, Math.floor(fs.statSync(gz).size / 4));
      log.write(lines(5));
      harness.start();
      await harness.settle();
      await harness.settle();
      assertAll(harness, [...log.written.slice(0, read), ...log.written.slice(-5)]);
      const gaps = harness.gaps();
      assert.equal(gaps.length, 1);
      assert.equal(gaps[0]!.startOffset, log.written.slice(0, read).join('\n').length + 1);
      assert.match(gaps[0]!.reason, /damaged/);
    }),
);

test('the log is cut back again and again, anywhere, with and without NULs, crashes and rotations', async (t) => {
  for (let seed = 1; seed <= 12; seed += 1) {
    await t.test(`seed ${seed}`, () =>
      withLog(async (harness, log) => {
        const random = new Random(seed);
        const expected: string[] = [];
        for (let round = 0; round < 12; round += 1) {
          const added = lines(1 + random.below(60), random.below(3000));
          for (const line of added) {
            log.write([line]);
            if (random.chance(0.1)) await harness.read();
            if (random.chance(0.1)) await harness.commit();
          }
          expected.push(...added);
          await harness.settle();
          if (random.chance(0.5)) await harness.stop();
          else await harness.crash();
          expected.push(...cutAnywhere(random, log.path));
          if (random.chance(0.3)) log.rotate();
          harness.start();
        }
        await harness.settle();
        assertAll(harness, expected);
      }),
    );
  }
});

/** Cuts a log that was read to its end, and gives the line that stands on it now and was never taken. */
function cutAnywhere(random: Random, file: string): string[] {
  const content = fs.readFileSync(file, 'latin1');
  if (content.length === 0) return [];
  const end = random.below(content.length);
  const left = random.chance(0.5) ? end : content.lastIndexOf('\n', end) + 1;
  const nulls = random.chance(0.3) ? random.below(5000) : 0;
  const [line] = lines(1);
  fs.truncateSync(file, left);
  fs.appendFileSync(file, `${'\0'.repeat(nulls)}${line}\n`);
  const torn = content.slice(content.lastIndexOf('\n', left - 1) + 1, left);
  // NULs at the start of a line are skipped; within a torn line they stay.
  return [`${torn}${'\0'.repeat(nulls)}${line}`.replace(/^\0+/, '')];
}
