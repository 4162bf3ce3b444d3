import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { printMeasured, printTarget, verdictOf } from '../../bench/harness/figure.ts';
import { median, quantile } from '../../bench/harness/statistics.ts';
import { figureTable } from '../../bench/harness/table.ts';
import { speedRatio } from '../../bench/harness/take-turns.ts';

describe('statistics', () => {
  test('the median is the value in the middle, in whatever order they came', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([10, 9, 100]), 10, 'by value, not as text');
    assert.equal(median([7]), 7);
  });

  test('a quantile lies between its neighbours', () => {
    const hundred = Array.from({ length: 101 }, (_, i) => 100 - i);
    assert.equal(quantile(hundred, 0.99), 99);
    assert.equal(quantile([0, 10], 0.25), 2.5);
    assert.equal(quantile([3, 1, 2], 0), 1);
    assert.equal(quantile([3, 1, 2], 1), 3);
  });

  test('nothing measured is an error, not a zero', () => {
    assert.throws(() => median([]), /no value was measured/);
  });
});

describe('figures', () => {
  test('a target is met where it is reached exactly, and missed by any less', () => {
    assert.equal(verdictOf({ measured: 1, target: { atLeast: 1 } }), 'met');
    assert.equal(verdictOf({ measured: 0.999, target: { atLeast: 1 } }), 'missed');
    assert.equal(verdictOf({ measured: 1.03, target: { atMost: 1.03 } }), 'met');
    assert.equal(verdictOf({ measured: 1.031, target: { atMost: 1.03 } }), 'missed');
  });

  test('what was not measured is never met', () => {
    assert.equal(verdictOf({ measured: undefined, target: { atMost: 1 } }), 'not measured');
    assert.equal(verdictOf({ measured: 3 }), '–');
  });

  test('a figure that misses its target does not look as if it reached it', () => {
    assert.equal(printMeasured({ measured: 0.9996, target: { atLeast: 1 }, unit: '×' }), '0.9996 ×');
    assert.equal(printMeasured({ measured: 160.4, target: { atMost: 160 }, unit: 'MB' }), '160.40 MB');
    assert.equal(printMeasured({ measured: 1.0004, target: { atLeast: 1 }, unit: '×' }), '1.00 ×');
    assert.equal(printMeasured({ measured: 12.34, unit: 's' }), '12.3 s');
  });

  test('targets in words', () => {
    assert.equal(printTarget({ atLeast: 0.65 }, '×'), 'at least 0.65 ×');
    assert.equal(printTarget({ atMost: 160 }, 'MB'), 'at most 160 MB');
    assert.equal(printTarget(undefined, '×'), '–');
  });

  test('twice the time is half the speed, also where a round is slow for both, and one sat out the last round', () => {
    const runs = (name: string, ...seconds: number[]) => ({ name, seconds, cpuSeconds: seconds, peakBytes: [] });
    const { measured, note } = speedRatio(runs('ours', 2, 20, 20, 2), runs('other', 1, 10, 10));
    assert.equal(measured, 0.5);
    assert.equal(note, 'ours: 11.00 s, other: 10.00 s');
  });

  test('the table has the figures with a target first, and each with its verdict', () => {
    const table = figureTable(
      [
        { id: 'a', what: 'without a target', unit: 's', measured: 3, note: '' },
        { id: 'b', what: 'missed one', unit: '×', measured: 0.5, target: { atLeast: 1 }, note: '1 s, 2 s' },
        { id: 'c', what: 'absent', unit: '×', measured: undefined, target: { atLeast: 1 }, note: 'not installed' },
      ],
      (_, text) => text,
      false,
    );
    const rows = table.split('\n').filter((line) => line.startsWith('│'));
    const cells = rows.map((row) =>
      row
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    assert.deepEqual(cells.slice(1), [
      ['missed one', 'at least 1 ×', '0.50 ×', 'missed', '1 s, 2 s'],
      ['absent', 'at least 1 ×', '–', 'not measured', 'not installed'],
      ['without a target', '–', '3.00 s', '–', ''],
    ]);
  });
});
