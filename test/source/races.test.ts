import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { contentHash } from '../../src/source/head.ts';
import { SourceHarness } from './source-harness.ts';
import { assertAll, assertAllForGood, gzip, Log, lines, withLog } from './written-log.ts';

/** Lets `happen` come in right before the next file whose path passes is opened. Undone when it came. */
function beforeOpening(passes: (path: string) => boolean, happen: () => unknown): void {
  const { open } = fs.promises;
  fs.promises.open = async (path, ...rest) => {
    if (passes(String(path))) {
      fs.promises.open = open;
      syncBuiltinESMExports();
      await happen();
    }
    return open(path, ...rest);
  };
  syncBuiltinESMExports();
}

for (const opening of [1, 2, 3]) {
  for (const later of [0, 30]) {
    test(`the live file is rotated before it is opened for the ${opening}. time, and ${later} lines follow`, () =>
      withLog(async (harness, log) => {
        log.write(lines(20));
        let count = 0;
        beforeOpening(
          (path) => path === log.path && ++count === opening,
          () => {
            log.rotate();
            if (later > 0) log.write(lines(later));
          },
        );
        await harness.read();
        assert.equal(count, opening);
        await harness.settle();
        log.write(lines(7));
        await harness.settle();
        await assertAllForGood(harness, log.written);
        assert.deepEqual([...harness.source.troubles.unreadable], []);
      }));
  }
}

for (const opening of [1, 2, 3]) {
  test(`the live file is emptied before it is opened for the ${opening}. time: what it had does not count as seen`, () =>
    withLog(async (harness, log) => {
      log.write(lines(40));
      let count = 0;
      beforeOpening(
        (path) => path === log.path && ++count === opening,
        () => {
          fs.truncateSync(log.path);
          fs.appendFileSync(log.path, '{"another":"line"}\n');
        },
      );
      await harness.read();
      assert.equal(count, opening);
      await harness.settle();
      // More than there is would be waited for, and told as a gap, by who lacks it.
      const { size } = fs.statSync(log.path);
      const live = harness.source.segments().find((segment) => segment.live);
      assert.deepEqual([live?.position, live?.sizeSeen], [size, size]);
    }));
}

test('a file that was emptied after it was told, and before its first event was read, is told anew', () =>
  withLog(async (harness, log) => {
    const event = (second: number) => `{"stageTimestamp":"2024-05-06T07:00:0${second}Z"}\n`;
    fs.appendFileSync(log.path, event(1).repeat(40));
    let count = 0;
    beforeOpening(
      (path) => path === log.path && ++count === 2,
      () => {
        fs.truncateSync(log.path);
        fs.appendFileSync(log.path, event(2));
      },
    );
    await harness.read();
    assert.equal(count, 2);
    await harness.settle();
    // No segment has the head of the one and the time of the other.
    const rows = [...harness.source.known].map(({ head, row }) => [head, row.firstTime]);
    assert.deepEqual(rows, [[contentHash(Buffer.from(event(2).trimEnd())), Date.UTC(2024, 4, 6, 7, 0, 2)]]);
    assert.deepEqual(harness.gaps(), []);
  }));

test('a known file is rotated before a new start opens it', async (t) => {
  for (const opening of [1, 2]) {
    await t.test(`for the ${opening}. time`, () =>
      withLog(async (harness, log) => {
        log.write(lines(20));
        await harness.settle();
        await harness.stop();
        log.write(lines(20));
        harness.start();
        let count = 0;
        beforeOpening(
          (path) => path === log.path && ++count === opening,
          () => {
            log.rotate();
            log.write(lines(30));
          },
        );
        await harness.read();
        assert.equal(count, opening);
        await harness.settle();
        assertAll(harness, log.written);
        assert.deepEqual(harness.gaps(), []);
      }),
    );
  }
});

test('a known file is emptied before a new start opens it: what it was found to have, and nobody read, is a gap', async (t) => {
  const emptied = async (opening: number, unread: number) => {
    await using harness = new SourceHarness();
    const log = new Log(harness.log);
    log.write(lines(20));
    await harness.settle();
    await harness.stop();
    const read = fs.statSync(log.path).size;
    log.write(lines(unread));
    const found = fs.statSync(log.path).size;
    const later = lines(3);
    harness.start();
    let count = 0;
    beforeOpening(
      (path) => path === log.path && ++count === opening,
      () => fs.writeFileSync(log.path, later.map((line) => `${line}\n`).join('')),
    );
    await harness.read();
    assert.equal(count, opening);
    for (let round = 0; round < 3; round += 1) {
      harness.pass(6000);
      await harness.settle();
    }
    assertAll(harness, [...log.written.slice(0, 20), ...later]);
    const gaps = harness.gaps().map(({ startOffset, endOffset }) => [startOffset, endOffset]);
    return { gaps, read, found };
  };
  await t.test('found with more than was read', async () => {
    const { gaps, read, found } = await emptied(2, 20);
    assert.deepEqual(gaps, [[read, found]]);
  });
  await t.test('found with what was read', async () => {
    const { gaps } = await emptied(2, 0);
    assert.deepEqual(gaps, []);
  });
  await t.test('before it was told: it may have had more', async () => {
    const { gaps, read } = await emptied(1, 20);
    assert.deepEqual(gaps, [[read, undefined]]);
  });
});

test('a backup is pruned before it is opened', () =>
  withLog(async (harness, log) => {
    log.write(lines(20));
    const backup = log.rotate();
    const live = lines(5);
    log.write(live);
    beforeOpening(
      (path) => path === backup,
      () => fs.rmSync(backup),
    );
    await harness.settle();
    assertAll(harness, live);
    assert.deepEqual([...harness.source.troubles.unreadable], []);
    assert.equal(harness.source.isDrained, true);
  }));

for (const opening of [1, 2]) {
  test(`a commit lets a finished part go while its gzip is opened for the ${opening}. time to be compared`, () =>
    withLog(async (harness, log) => {
      log.write(lines(200));
      await harness.settle();
      log.write(lines(20));
      const backup = log.rotate();
      log.write(lines(3));
      await harness.read();
      harness.pass(6000);
      await harness.read();
      assert.equal(harness.source.segments().filter(({ finished }) => finished).length, 1);
      const gz = gzip(backup);
      harness.pass(6000);
      let count = 0;
      beforeOpening(
        (path) => path === gz && ++count === opening,
        () => harness.commit(),
      );
      for (let round = 0; round < 3; round += 1) await harness.settle();
      assert.ok(count >= opening);
      assertAll(harness, log.written);
      assert.deepEqual([...harness.source.troubles.unreadable], []);
      assert.deepEqual(harness.source.segments().length, 1);
    }));
}

for (const opening of [1, 2]) {
  test(`a log and its copy that were never seen: it is truncated before the copy is opened for the ${opening}. time`, () =>
    withLog(async (harness, log) => {
      log.write(lines(200));
      const later = lines(5);
      fs.copyFileSync(log.path, `${log.path}.1`);
      let count = 0;
      beforeOpening(
        (path) => path === `${log.path}.1` && ++count === opening,
        () => fs.writeFileSync(log.path, later.map((line) => `${line}\n`).join('')),
      );
      await harness.source.sweep();
      assert.ok(count >= opening);
      await harness.crash();
      harness.start();
      await harness.settle();
      await assertAllForGood(harness, [...log.written, ...later]);
    }));
}
