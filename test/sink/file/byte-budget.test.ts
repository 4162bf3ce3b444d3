import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBudget } from '../../../src/sink/file/byte-budget.ts';

test('a reader waits until enough bytes are given back', async () => {
  const budget = new ByteBudget(10);
  budget.take(12);
  let waits = true;
  const waiting = budget.whenBelow().then(() => {
    waits = false;
  });
  budget.give(1);
  await Promise.resolve();
  assert.equal(waits, true);
  budget.give(2);
  await waiting;
});

test('nobody waits for bytes that nobody holds, however small the limit is', async () => {
  const budget = new ByteBudget(0);
  await budget.whenBelow();
  budget.take(5);
  const waiting = budget.whenBelow();
  budget.give(5);
  await waiting;
});
