import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { SourceConfig } from '../../src/config/types.ts';
import { DisturbedLog } from './disturbed-log.ts';
import { FileCalls } from './file-calls.ts';
import { SourceHarness } from './source-harness.ts';

async function withLog(
  run: (harness: SourceHarness, log: DisturbedLog) => Promise<void>,
  config: Partial<SourceConfig> = {},
): Promise<void> {
  await using harness = new SourceHarness(config);
  using log = new DisturbedLog(harness.log);
  await run(harness, log);
}

function size(lines: readonly string[]): number {
  return lines.join('\n').length + 1;
}

for (const isSeenAgain of [true, false]) {
  for (const isRead of [true, false]) {
    const [what, later] = [isRead ? 'read' : 'unread', isSeenAgain ? 'and is seen again' : 'unseen'];
    test(`a part with ${what} lines that grows after its rotation, ${later}, and is pruned after a crash, is a gap`, () =>
      withLog(async (harness, log) => {
        const read = log.write(10);
        const backup = isRead ? log.rotate() : undefined;
        await harness.read();
        await harness.commit();
        if (!isRead) log.write(10);
        const rotated = backup ?? log.rotate();
        await harness.source.sweep();
        // The writer has not reopened its log yet: with logrotate's `create` it is told to after the rename.
        fs.appendFileSync(rotated, '{"late":"line"}\n');
        const { size: grown } = fs.statSync(rotated);
        if (isSeenAgain) {
          harness.pass(6000);
          await harness.source.sweep();
        }
        await harness.crash();
        fs.rmSync(rotated);
        log.write(3);
        harness.start();
        await harness.settle();
        const gaps = harness.gaps().map(({ path, startOffset, endOffset }) => ({ path, startOffset, endOffset }));
        const endOffset = isSeenAgain ? grown : undefined;
        assert.deepEqual(gaps, [{ path: rotated, startOffset: size(read), endOffset }]);
      }));
  }
}

test('a part that grows after its rotation, and cannot be read when it is seen again, is a gap without an end', () =>
  withLog(async (harness, log) => {
    const read = log.write(10);
    await harness.read();
    await harness.commit();
    const backup = log.rotate();
    await harness.source.sweep();
    fs.appendFileSync(backup, '{"late":"line"}\n');
    harness.pass(6000);
    using calls = await FileCalls.intercept();
    calls.before((call) => {
      if (call === 'handle.read')
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    });
    await harness.source.sweep();
    calls.before(undefined);
    assert.ok(harness.source.troubles.unreadable.has(backup));
    await harness.crash();
    fs.rmSync(backup);
    harness.start();
    await harness.settle();
    const gaps = harness.gaps().map(({ startOffset, endOffset }) => ({ startOffset, endOffset }));
    assert.deepEqual(gaps, [{ startOffset: size(read), endOffset: undefined }]);
  }));

test('a part that was left alone, and read to its end, is no gap when it is pruned after a crash', () =>
  withLog(async (harness, log) => {
    log.write(10);
    const backup = log.rotate();
    await harness.read();
    harness.pass(6000);
    await harness.source.sweep();
    await harness.commit();
    await harness.crash();
    fs.rmSync(backup);
    harness.start();
    await harness.settle();
    assert.deepEqual(harness.gaps(), []);
  }));

test('letting go of held bytes tells only what was not read', () =>
  withLog(
    async (harness, log) => {
      log.write(10);
      await harness.read();
      const first = log.rotate();
      await harness.read();
      const unread = log.write(20);
      await harness.source.sweep();
      const second = log.rotate();
      await harness.source.sweep();
      fs.rmSync(first);
      fs.rmSync(second);
      await harness.source.sweep();
      const gaps = harness.gaps();
      assert.deepEqual(
        gaps.map(({ startOffset, endOffset }) => [startOffset, endOffset]),
        [[0, size(unread)]],
      );
    },
    { heldBytes: 500 },
  ));

test('a damaged gzip part is one gap, though the agent dies before its end is committed', () =>
  withLog(async (harness, log) => {
    log.write(2000);
    const backup = log.rotate();
    const whole = gzipSync(fs.readFileSync(backup));
    fs.rmSync(backup);
    fs.writeFileSync(`${backup}.gz`, whole.subarray(0, whole.length - 100));
    harness.pass(10_000);
    await harness.read();
    await harness.read();
    assert.equal(harness.gaps().length, 1);
    await harness.crash();
    harness.start();
    await harness.settle();
    await harness.settle();
    assert.equal(harness.gaps().length, 1);
  }));
