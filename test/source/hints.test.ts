import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DisturbedLog } from './disturbed-log.ts';
import { FileCalls } from './file-calls.ts';
import { SourceHarness } from './source-harness.ts';

test('a line whose hint comes in the middle of a step is taken without another sweep', async () => {
  using calls = await FileCalls.intercept();
  let moments = 0;
  for (let n = 1, hinted = true; hinted; n += 1) {
    await using harness = new SourceHarness();
    using log = new DisturbedLog(harness.log);
    log.write(2);
    await harness.read();
    const late = log.write(1);
    harness.source.hint();
    hinted = false;
    calls.before((_call, count) => {
      if (count !== n) return;
      hinted = true;
      late.push(...log.write(1));
      harness.source.hint();
    });
    while (await harness.source.poll());
    calls.before(undefined);
    if (!hinted) break;
    moments += 1;
    while (await harness.source.poll());
    assert.deepEqual(harness.taken.slice(2), late, `hint before call ${n}`);
  }
  assert.ok(moments >= 3, `${moments} moments`);
});

test('without a hint, an ended segment is not read again before the next sweep', async () => {
  await using harness = new SourceHarness();
  using log = new DisturbedLog(harness.log);
  log.write(2);
  await harness.read();
  log.write(1);
  assert.equal(await harness.source.poll(), false);
  assert.equal(harness.taken.length, 2);
  await harness.source.sweep();
  assert.equal(await harness.source.poll(), true);
  assert.equal(harness.taken.length, 3);
});
