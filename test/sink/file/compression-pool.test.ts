import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { CompressionPool } from '../../../src/sink/file/compression-pool.ts';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

test('the content of a block is let go when the block is done, however many wait', async () => {
  const pool = new CompressionPool(1);
  const contents: WeakRef<Buffer>[] = [];
  const gates = Array.from({ length: 20 }, () => Promise.withResolvers<void>());
  const results = gates.map(({ promise }) => {
    const content = Buffer.alloc(1024);
    contents.push(new WeakRef(content));
    return pool.run(
      () => promise.then(() => content.subarray(0, 1)),
      () => true,
    );
  });
  for (const [index, gate] of gates.slice(0, 10).entries()) {
    gate.resolve();
    results[index]!.catch(() => undefined);
    await results[index];
    results[index] = Promise.resolve(undefined);
  }
  gates.splice(0, 10);
  // What a promise resolved to is kept for a turn or two.
  for (let round = 0; round < 5; round += 1) {
    await turn();
    collectGarbage();
  }
  const held = contents.slice(0, 10).filter((content) => content.deref() !== undefined).length;
  assert.ok(held <= 1, `${held} of 10 blocks that are done are held`);
  for (const gate of gates) gate.resolve();
  await Promise.all(results);
});

test('as many blocks at once as there are threads, in the order in which they came', async () => {
  const pool = new CompressionPool(2);
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const jobs = Array.from({ length: 3000 }, (_, index) =>
    pool.run(
      async () => {
        begun.push(index);
        most = Math.max(most, ++running);
        await turn();
        running -= 1;
        return Buffer.alloc(0);
      },
      () => index % 7 !== 3,
    ),
  );
  const results = await Promise.all(jobs);
  assert.equal(most, 2);
  const wanted = jobs.map((_, index) => index).filter((index) => index % 7 !== 3);
  assert.deepEqual(begun, wanted);
  assert.deepEqual(
    results.flatMap((result, index) => (result === undefined ? [] : [index])),
    wanted,
  );
});
