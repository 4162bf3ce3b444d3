import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tally } from '../../../demo/receivers/tally.ts';
import { hashLine, LineMultiset } from '../../helpers/line-multiset.ts';

function expected(...lines: string[]): LineMultiset {
  const set = new LineMultiset();
  for (const line of lines) set.expect(hashLine(line));
  return set;
}

test('a tally tells what is lost, repeated and foreign', () => {
  const tally = new Tally();
  for (const line of ['a', 'a', 'b', 'x']) tally.add(Buffer.from(line));
  const written = expected('a', 'b', 'c', 'c');
  assert.deepEqual(tally.compare(written), { lost: 2, duplicated: 1, foreign: 1 });
  assert.deepEqual(tally.compare(written), { lost: 2, duplicated: 1, foreign: 1 }, 'asked a second time');
  assert.deepEqual([tally.total, tally.distinct, tally.times('a'), tally.times('c')], [4, 3, 2, 0]);
});

test('a line that was written twice may arrive twice', () => {
  const tally = new Tally();
  tally.add(Buffer.from('a'));
  tally.add(Buffer.from('a'));
  assert.deepEqual(tally.compare(expected('a', 'a')), { lost: 0, duplicated: 0, foreign: 0 });
});

test('lines are kept as copies, in order, when asked to', () => {
  const tally = new Tally({ keepLines: true });
  const body = Buffer.from('ab');
  tally.add(body.subarray(1));
  tally.add(body.subarray(0, 1));
  body.fill('x');
  assert.deepEqual(tally.lines.map(String), ['b', 'a']);
  assert.throws(() => new Tally().lines, /keepLines/);
});
