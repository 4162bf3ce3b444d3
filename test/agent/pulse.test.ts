import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pulse } from '../../src/agent/pulse.ts';

test('a loop is late by what lies behind the time that it gave itself', () => {
  let now = 1000;
  const pulse = new Pulse(() => now);
  now = 1500;
  assert.equal(pulse.lateMs, 500);
  pulse.beat(60_000);
  now = 61_000;
  assert.equal(pulse.lateMs, 0, 'it sleeps');
  now = 61_600;
  assert.equal(pulse.lateMs, 100);
  pulse.beat();
  assert.equal(pulse.lateMs, 0);
});
