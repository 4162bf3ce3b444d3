import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsUntilDeleted } from '../../src/admin/rotation-window.ts';

const HOUR = 3_600_000;

/** Rotated on the hour: at 1, 2 and 3 o'clock. Given in no order. */
const PARTS = [
  { path: '/b', modifiedMs: 2 * HOUR },
  { path: '/c', modifiedMs: 3 * HOUR },
  { path: '/a', modifiedMs: HOUR },
];

test('the oldest part goes with the next rotation, each further one a period later, the live file last', () => {
  const now = 3.25 * HOUR;
  assert.equal(secondsUntilDeleted(PARTS, '/a', now), 0.75 * 3600);
  assert.equal(secondsUntilDeleted(PARTS, '/b', now), 1.75 * 3600);
  assert.equal(secondsUntilDeleted(PARTS, '/c', now), 2.75 * 3600);
  assert.equal(secondsUntilDeleted(PARTS, '/live', now), 3.75 * 3600);
});

test('a rotation that is overdue may come at any moment', () => {
  assert.equal(secondsUntilDeleted(PARTS, '/a', 10 * HOUR), 0);
  assert.equal(secondsUntilDeleted(PARTS, '/b', 10 * HOUR), 3600);
});

test('parts that came in one moment leave no time', () => {
  const burst = PARTS.map(({ path }) => ({ path, modifiedMs: HOUR }));
  assert.equal(secondsUntilDeleted(burst, '/live', HOUR + 1000), 0);
});

test('from fewer than two parts nothing can be told', () => {
  assert.equal(secondsUntilDeleted([], '/live', HOUR), undefined);
  assert.equal(secondsUntilDeleted(PARTS.slice(0, 1), '/b', 3 * HOUR), undefined);
});
