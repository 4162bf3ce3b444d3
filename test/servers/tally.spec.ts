import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tally } from './tally.ts';

const WRITTEN = new Map([
  ['a', 1],
  ['b', 2],
  ['c', 3],
]);

test('losses, repetitions, strangers and wrong times are told apart', () => {
  const stored = [{ key: 'a', timeMs: 1 }, { key: 'a', timeMs: 1 }, { key: 'b', timeMs: 20 }, { key: 'x' }];
  assert.deepEqual(tally(WRITTEN, stored), {
    found: 2,
    missing: ['c'],
    repeated: 1,
    foreign: ['x'],
    mistimed: ['b'],
  });
});

test('a receiver that keeps no times is asked for none', () => {
  const { found, mistimed } = tally(WRITTEN, [{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
  assert.deepEqual({ found, mistimed }, { found: 3, mistimed: [] });
});
