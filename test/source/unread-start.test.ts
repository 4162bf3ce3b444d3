import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { assertAll, assertAllForGood, lines, withLog } from './written-log.ts';

test('copytruncate of a live file that nothing was read of yet, seen while it is empty', () =>
  withLog(async (harness, log) => {
    log.write(lines(50));
    await harness.source.sweep();
    log.copytruncate();
    await harness.settle();
    log.write(lines(20));
    await harness.settle();
    await assertAllForGood(harness, log.written);
  }));

test('copytruncate of such a file by a writer without O_APPEND: NULs are not the content that was seen', () =>
  withLog(async (harness, log) => {
    log.write(lines(30_000));
    const { size } = fs.statSync(log.path);
    await harness.source.sweep();
    log.copytruncate();
    const later = lines(5);
    const handle = fs.openSync(log.path, 'r+');
    fs.writeSync(handle, later.map((line) => `${line}\n`).join(''), size);
    fs.closeSync(handle);
    await harness.source.poll();
    await harness.settle();
    await assertAllForGood(harness, [...log.written, ...later]);
  }));

for (const nulls of [1, 700, 1024, 2 ** 20 - 20, 2 ** 20, 2 ** 20 + 1000]) {
  test(`a log that begins with ${nulls} NUL bytes is looked at before it is read`, () =>
    withLog(async (harness, log) => {
      const handle = fs.openSync(log.path, 'w');
      const written = lines(10, 1500);
      fs.writeSync(handle, written.map((line) => `${line}\n`).join(''), nulls);
      fs.closeSync(handle);
      await harness.source.sweep();
      await harness.source.sweep();
      assert.equal(await harness.source.poll(), true);
      assert.ok(harness.source.segments()[0]!.position > 0, 'the first step got nowhere');
      await harness.settle();
      assertAll(harness, written);
      assert.equal(harness.nulls, nulls);
    }));
}
