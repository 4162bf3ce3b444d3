import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DESCRIPTOR_BOUND, growthOf, MEMORY_BOUND, type Sample } from '../../bench/soak/growth.ts';
import { thin } from '../../bench/soak/soak-result.ts';

const TOTAL = 1800;

/** A sample a second, with memory and descriptors as a function of the second. */
function samplesOf(residentBytes: (second: number) => number, descriptors = (_: number): number => 60): Sample[] {
  return Array.from({ length: TOTAL }, (_, seconds) => ({
    seconds,
    residentBytes: residentBytes(seconds),
    descriptors: descriptors(seconds),
    stateBytes: 0,
  }));
}

function memoryOf(samples: readonly Sample[]) {
  return growthOf(samples, TOTAL, (sample) => sample.residentBytes, MEMORY_BOUND);
}

function descriptorsOf(samples: readonly Sample[]) {
  return growthOf(samples, TOTAL, (sample) => sample.descriptors, DESCRIPTOR_BOUND);
}

describe('growth', () => {
  test('a heap that breathes is flat', () => {
    const sawtooth = samplesOf((second) => 120e6 + (second % 60) * 1e6);
    assert.equal(memoryOf(sawtooth).flat, true);
  });

  test('a leak of ten bytes an event is growth, under the same sawtooth', () => {
    const eventsPerSecond = 5_000_000 / 1500;
    const leak = samplesOf((second) => 120e6 + (second % 60) * 1e6 + second * eventsPerSecond * 10);
    assert.equal(memoryOf(leak).flat, false);
  });

  test('what the start and the restarts take is not growth', () => {
    const settled = samplesOf((second) => (second < TOTAL / 4 ? 60e6 + second * 0.2e6 : 150e6));
    assert.equal(memoryOf(settled).flat, true);
  });

  test('a few peaks in the last quarter are not growth', () => {
    const peaks = samplesOf((second) => (second > 1500 && second % 10 === 0 ? 900e6 : 150e6));
    assert.equal(memoryOf(peaks).flat, true);
  });

  test('a descriptor that is left open with each rotation is growth', () => {
    const leak = samplesOf(
      () => 0,
      (second) => 60 + Math.floor(second / 60),
    );
    const { second, last, flat } = descriptorsOf(leak);
    assert.deepEqual([second, last, flat], [71, 86, false]);
  });

  test('files that open and close with the hour are not growth', () => {
    const hours = samplesOf(
      () => 0,
      (second) => (second % 300 < 100 ? 91 : 60),
    );
    assert.equal(descriptorsOf(hours).flat, true);
  });

  test('without samples in a quarter there is no verdict', () => {
    assert.throws(() => memoryOf(samplesOf(() => 1).slice(0, 900)), /no value was measured/);
  });
});

test('thinning keeps each peak, and the order', () => {
  const samples = samplesOf((second) => (second === 777 ? 9e9 : second));
  const thinned = thin(samples, 120);
  assert.equal(thinned.length, 120);
  assert.equal(Math.max(...thinned.map(({ residentBytes }) => residentBytes)), 9e9);
  assert.deepEqual(
    thinned.map(({ seconds }) => seconds),
    Array.from({ length: 120 }, (_, part) => part * 15),
  );
});
