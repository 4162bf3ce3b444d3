import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { begun, CRI, line, rotate, write } from './container-lines.ts';
import { FileCalls } from './file-calls.ts';
import { SourceHarness } from './source-harness.ts';

test('whenever a part is gzipped while it is found, a line that goes on behind it is taken whole', async () => {
  using calls = await FileCalls.intercept();
  let before = 0;
  let moved = false;
  do {
    before += 1;
    moved = false;
    calls.before(undefined);
    await using harness = new SourceHarness(CRI);
    write(harness.log, line('one'), begun('tw'));
    const part = rotate(harness.log);
    write(harness.log, line('o'), line('three'));
    calls.before((_call, count) => {
      if (count !== before) return;
      moved = true;
      writeFileSync(`${part}.gz`, gzipSync(readFileSync(part)));
      rmSync(part);
    });
    await harness.read();
    calls.before(undefined);
    for (let round = 0; round < 3; round += 1) await harness.settle();
    assert.deepEqual(harness.taken, ['one', 'two', 'three'], `moved before call ${before}`);
    assert.equal(existsSync(part), !moved);
  } while (moved && before < 200);
  assert.ok(before > 20, `${before} calls`);
});
