import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lagBytes, takenOffset, timeAt } from '../../src/admin/source-lag.ts';
import { Ledger } from '../../src/checkpoint/ledger.ts';

const SEGMENT = { id: 7, sizeSeen: 1000, position: 400, from: [0], firstTime: 10_000, lastTime: 50_000 };

function paced(ledger: Ledger) {
  return { pace: { ledger, hasRoom: true, behind: () => undefined } };
}

test('an archive has taken what was read, and lacks what was seen', () => {
  assert.equal(takenOffset(SEGMENT, { pace: undefined }, 0), 400);
  assert.equal(lagBytes(SEGMENT, 400), 600);
  assert.equal(takenOffset({ ...SEGMENT, from: [700] }, { pace: undefined }, 0), 700, 'it had that before');
});

test('a sink at its own pace lacks what it was not handed, and what it was handed and has not taken', () => {
  const ledger = new Ledger();
  const sink = paced(ledger);
  assert.equal(takenOffset(SEGMENT, sink, 0), 0);
  ledger.handed(7, 400);
  assert.equal(takenOffset(SEGMENT, sink, 0), 400);
  const pending = ledger.open();
  ledger.add(pending, 7, 150);
  assert.equal(takenOffset(SEGMENT, sink, 0), 150);
  ledger.taken(pending);
  assert.equal(takenOffset(SEGMENT, sink, 0), 400);
});

test('what was read since the last look at the size is no lag', () => {
  const grown = { ...SEGMENT, sizeSeen: 1000, position: 5000 };
  const ledger = new Ledger();
  ledger.handed(7, 5000);
  const offset = takenOffset(grown, paced(ledger), 0);
  assert.deepEqual([offset, lagBytes(grown, offset)], [5000, 0]);
});

test('the time at an offset lies between those of the first and the last event that were read', () => {
  assert.equal(timeAt(SEGMENT, 0), 10_000);
  assert.equal(timeAt(SEGMENT, 100), 20_000);
  assert.equal(timeAt(SEGMENT, 400), 50_000);
  assert.equal(timeAt(SEGMENT, 900), 50_000);
  assert.equal(timeAt({ ...SEGMENT, position: 0, lastTime: undefined }, 0), 10_000);
  assert.equal(timeAt({ ...SEGMENT, firstTime: undefined, lastTime: undefined }, 5), undefined);
});
