import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { lines, withLog } from './written-log.ts';

test('who reads in rounds is told whether the next one finds something, or has to wait for the writer', () =>
  withLog(async (harness, log) => {
    const { source } = harness;
    log.write(lines(10));
    await source.sweep();
    // A live log, up to its end: more comes when it is written.
    assert.deepEqual([await source.poll(), source.hasMore], [true, false]);
    assert.deepEqual([await source.poll(), source.hasMore], [false, false]);

    // More than a chunk: the rest is there already.
    log.write(lines(30_000));
    source.hint();
    assert.deepEqual([await source.poll(), source.hasMore], [true, true]);
    while (source.hasMore) assert.equal(await source.poll(), true);
    assert.equal(await source.poll(), false);

    // Behind the end of a rotated part stands the next file.
    log.write(lines(5));
    log.rotate();
    source.hint();
    log.write(lines(5));
    await source.sweep();
    assert.deepEqual([await source.poll(), source.hasMore], [true, true]);
    assert.deepEqual([await source.poll(), source.hasMore], [true, false]);
    assert.deepEqual(harness.taken, log.written);
  }));

test('the first line of an empty log is read at a hint, and not with the next sweep that is due', () =>
  withLog(async (harness, log) => {
    const { source } = harness;
    fs.writeFileSync(log.path, '');
    await source.sweep();
    assert.equal(source.wantsSweep, false);
    log.write(lines(3));
    source.hint();
    assert.equal(source.wantsSweep, true);
    await harness.read();
    assert.deepEqual(harness.taken, log.written);
    // From here on what is written is found without.
    log.write(lines(3));
    source.hint();
    assert.equal(source.wantsSweep, false);
  }));
