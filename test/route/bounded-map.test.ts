import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedMap } from '../../src/route/bounded-map.ts';

test('it never holds more than its limit, and always the newest', () => {
  const map = new BoundedMap<number, number>(100);
  for (let i = 0; i < 1000; i += 1) {
    map.set(i, -i);
    assert.ok(map.size <= 100);
    assert.equal(map.get(i), -i);
  }
});

test('a key that is there takes no new room', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  assert.equal(map.get('a'), 3);
  assert.equal(map.get('b'), 2);
});
