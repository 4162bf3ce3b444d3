import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { hashLine } from '../helpers/line-multiset.ts';
import { assertTaken, DisturbedLog } from './disturbed-log.ts';
import { FileCalls } from './file-calls.ts';
import { SourceHarness } from './source-harness.ts';

async function withLog(run: (harness: SourceHarness, log: DisturbedLog) => Promise<void>): Promise<void> {
  await using harness = new SourceHarness();
  using log = new DisturbedLog(harness.log);
  await run(harness, log);
}

/** The log loses its end at a line's end, as after a power loss. */
function cutBackTo(log: DisturbedLog, part: number): void {
  const content = fs.readFileSync(log.path);
  fs.truncateSync(log.path, content.lastIndexOf('\n', Math.floor(content.length * part)) + 1);
}

/** Writes and commits in steps, so that there are anchors to go back to. */
async function readInSteps(harness: SourceHarness, log: DisturbedLog, steps = 6): Promise<void> {
  for (let n = 0; n < steps; n += 1) {
    log.write(20);
    await harness.read();
    await harness.commit();
  }
}

test('a log that is cut back twice, the second time behind or before the first: nothing twice', async (t) => {
  for (const [first, then] of [
    [0.5, 0.9],
    [0.55, 0.45],
    [0.8, 0.2],
    [0.97, 0.95],
  ] as const) {
    await t.test(`to ${first}, then to ${then}`, () =>
      withLog(async (harness, log) => {
        await readInSteps(harness, log);
        cutBackTo(log, first);
        log.write(25);
        await harness.read();
        await harness.commit();
        cutBackTo(log, then);
        log.write(25);
        await harness.settle();
        assertTaken(harness, log);
        assert.deepEqual(harness.gaps(), []);
      }),
    );
  }
});

for (const style of ['rename', 'rename-gzip', 'copytruncate'] as const) {
  test(`a log is cut back, grows on, and is rotated by ${style}, all while the agent is down`, () =>
    withLog(async (harness, log) => {
      await readInSteps(harness, log);
      await harness.stop();
      cutBackTo(log, 0.6);
      log.write(80);
      log.rotate(style);
      log.write(5);
      harness.start();
      for (let n = 0; n < 20; n += 1) {
        await harness.source.sweep();
        while (await harness.source.poll());
      }
      assert.equal(harness.source.wantsSweep, false, 'it goes on for ever');
      await harness.settle();
      assertTaken(harness, log);
      assert.deepEqual(harness.gaps(), []);
    }));
}

test('a rotated part that grows while its last line is taken is read on line by line', async () => {
  using calls = await FileCalls.intercept();
  for (let n = 1, grown = true; grown; n += 1) {
    await withLog(async (harness, log) => {
      log.write(3);
      const backup = log.rotate();
      log.write(3);
      await harness.read();
      harness.pass(6_000);
      await harness.source.sweep();
      grown = false;
      calls.before((_call, count) => {
        if (count !== n) return;
        grown = true;
        const late = ['{"t":1790000000001,"late":1}', '{"t":1790000000002,"late":2}'];
        fs.appendFileSync(backup, late.map((line) => `${line}\n`).join(''));
        for (const line of late) log.writer.expected.expect(hashLine(line));
      });
      try {
        while (await harness.source.poll());
      } finally {
        calls.before(undefined);
      }
      await harness.settle();
      assertTaken(harness, log, `before call ${n}:`);
    });
  }
});
