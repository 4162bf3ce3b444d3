import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplayWatch } from '../../src/agent/replay-watch.ts';
import type { Source } from '../../src/source/source.ts';

interface FakeSegment {
  id: number;
  position: number;
  sizeSeen: number;
  uncommitted: boolean;
}

function scene(...sizes: number[]) {
  const segments: FakeSegment[] = sizes.map((sizeSeen, id) => ({ id, position: 0, sizeSeen, uncommitted: false }));
  const ended = new Set<FakeSegment>();
  const source = {
    gapsTold: 0,
    isUndecided: false,
    segments: () => segments,
    hasEnded: (segment: FakeSegment) => ended.has(segment),
  };
  return { segments, ended, source, watch: new ReplayWatch([source as unknown as Source]) };
}

test('the replay has passed when all that stood in the logs at the start is durable', () => {
  const { watch, segments } = scene(100, 50);
  assert.equal(watch.hasPassed, false);
  segments[0]!.position = 100;
  segments[1]!.position = 49;
  assert.equal(watch.hasPassed, false);
  segments[1]!.position = 60;
  segments[1]!.uncommitted = true;
  assert.equal(watch.hasPassed, false);
  segments[1]!.uncommitted = false;
  assert.equal(watch.hasPassed, true);
});

test('what is written later is not waited for, nor a segment that came later or was let go', () => {
  const { watch, segments } = scene(100);
  segments[0]!.sizeSeen = 5000;
  segments[0]!.position = 100;
  segments.push({ id: 9, position: 0, sizeSeen: 700, uncommitted: false });
  assert.equal(watch.hasPassed, true);
  segments.length = 0;
  assert.equal(watch.hasPassed, true);
});

test('a last line without its newline is not waited for', () => {
  const { watch, segments, ended } = scene(100);
  segments[0]!.position = 90;
  assert.equal(watch.hasPassed, false);
  ended.add(segments[0]!);
  assert.equal(watch.hasPassed, true);
});

test('a segment that may yet turn out to be a gap is waited for: its lines may only be in what was cut off', () => {
  const { watch, segments, source } = scene(100);
  segments.length = 0;
  source.isUndecided = true;
  assert.equal(watch.hasPassed, false);
  source.isUndecided = false;
  assert.equal(watch.hasPassed, true);
});

test('gaps that were told are remembered', () => {
  const { watch, source } = scene(1);
  assert.equal(watch.hadGaps, false);
  source.gapsTold = 1;
  assert.equal(watch.hadGaps, true);
});
