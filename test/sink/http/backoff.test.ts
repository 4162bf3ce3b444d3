import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Backoff, MAX_RETRY_AFTER_MS } from '../../../src/sink/http/backoff.ts';

const LIMITS = { minMs: 500, maxMs: 60_000 };
const LOWEST = () => 0;
const HIGHEST = () => 1 - Number.EPSILON;

function pauses(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => Math.round(backoff.failed()));
}

test('the bound doubles up to retry.max, and the floor is retry.min', () => {
  const doubling = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
  assert.deepEqual(pauses(new Backoff(LIMITS, HIGHEST), 8), doubling);
  assert.deepEqual(pauses(new Backoff(LIMITS, LOWEST), 8), Array(8).fill(500));
});

test('only progress starts it anew', () => {
  const backoff = new Backoff(LIMITS, HIGHEST);
  pauses(backoff, 5);
  backoff.blocked();
  assert.deepEqual(pauses(backoff, 1), [32_000]);
  backoff.progressed();
  assert.deepEqual(pauses(backoff, 2), [1000, 2000]);
});

test('Retry-After is a floor, and no longer than it may be', () => {
  assert.equal(new Backoff(LIMITS, LOWEST).failed(7000), 7000);
  assert.equal(Math.round(new Backoff(LIMITS, HIGHEST).failed(7000)), 7500);
  assert.equal(Math.round(new Backoff(LIMITS, HIGHEST).failed(1)), 1000);
  assert.equal(new Backoff(LIMITS, LOWEST).failed(-5), 500);
  assert.equal(new Backoff(LIMITS, LOWEST).failed(Number.NaN), 500);
  assert.equal(new Backoff(LIMITS, LOWEST).failed(86_400_000), MAX_RETRY_AFTER_MS);
  assert.equal(new Backoff(LIMITS, LOWEST).failed(Number.POSITIVE_INFINITY), MAX_RETRY_AFTER_MS);
});

test('what is blocked is slow from the first time on', () => {
  assert.equal(new Backoff(LIMITS, LOWEST).blocked(), 30_000);
  assert.equal(Math.round(new Backoff(LIMITS, HIGHEST).blocked()), 60_000);
});

test('every pause lies between the limits, whatever they are', () => {
  const limits = fc.record({ minMs: fc.integer({ min: 1, max: 1e6 }), maxMs: fc.integer({ min: 1, max: 1e6 }) });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(limits, fc.array(random, { minLength: 1, maxLength: 40 }), ({ minMs, maxMs }, draws) => {
      let i = 0;
      const backoff = new Backoff({ minMs, maxMs }, () => draws[i++ % draws.length]!);
      for (const _draw of draws) {
        const pause = backoff.failed();
        assert.ok(pause >= Math.min(minMs, maxMs) && pause <= maxMs, `${pause}`);
      }
    }),
  );
});
