import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refreshed } from '../../src/admin/refreshed.ts';

test('many who ask at once, and those who ask soon after, get one look', async () => {
  let now = 0;
  let looks = 0;
  const fact = new Refreshed(async () => (looks += 1), { maxAgeMs: 100, waitMs: 1000, now: () => now });
  assert.deepEqual(await Promise.all([fact.get(), fact.get(), fact.get()]), [1, 1, 1]);
  now = 99;
  assert.equal(await fact.get(), 1);
  now = 100;
  assert.equal(await fact.get(), 2);
});

test('a look that hangs is waited for once, not repeated, and used when it comes after all', async () => {
  let now = 0;
  let looks = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const look = () => {
    looks += 1;
    return promise;
  };
  const fact = new Refreshed(look, { maxAgeMs: 100, waitMs: 5, now: () => now });
  assert.equal(await fact.get(), undefined);
  now = 1000;
  assert.equal(await fact.get(), undefined);
  assert.equal(looks, 1);
  resolve('late');
  assert.equal(await fact.get(), 'late');
});

test('a look that fails is unknown, also where the one before was not, and is repeated later', async () => {
  let now = 0;
  let fails = false;
  const look = async () => {
    if (fails) throw new Error('EIO');
    return 'known';
  };
  const fact = new Refreshed(look, { maxAgeMs: 100, waitMs: 1000, now: () => now });
  assert.equal(await fact.get(), 'known');
  fails = true;
  now = 200;
  assert.equal(await fact.get(), undefined);
  fails = false;
  now = 400;
  assert.equal(await fact.get(), 'known');
});
