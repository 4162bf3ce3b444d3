import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Wake } from '../../src/agent/wake.ts';

const FOREVER = 2 ** 30;

test('a sleeper is woken at once', async () => {
  const wake = new Wake();
  const slept = wake.sleep(FOREVER);
  wake.wake();
  await slept;
});

test('a wake that comes before the sleep is not lost, and counts once', async () => {
  const wake = new Wake();
  wake.wake();
  wake.wake();
  await wake.sleep(FOREVER);
  let isAwake = false;
  const second = wake.sleep(FOREVER).then(() => {
    isAwake = true;
  });
  await turn();
  assert.equal(isAwake, false);
  wake.wake();
  await second;
});

test('a sleep of nothing and one that runs out end by themselves', async () => {
  const wake = new Wake();
  await wake.sleep(0);
  await wake.sleep(-5);
  await wake.sleep(1);
});

test('a wake between two sleeps ends the second one, though the first was woken too', async () => {
  const wake = new Wake();
  const first = wake.sleep(FOREVER);
  wake.wake();
  await first;
  wake.wake();
  await wake.sleep(FOREVER);
});

test('a sleep that was woken leaves no timer that keeps the process alive', async () => {
  const wake = new Wake();
  const slept = wake.sleep(FOREVER);
  wake.wake();
  await slept;
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout'),
    [],
  );
});
