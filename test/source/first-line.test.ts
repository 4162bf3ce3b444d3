import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { lines, withLog } from './written-log.ts';

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
