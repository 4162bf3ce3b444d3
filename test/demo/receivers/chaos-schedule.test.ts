import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CHAOS_ACTS,
  type ChaosAct,
  ChaosSchedule,
  EVERYTHING,
  NOTHING_REJECTED,
} from '../../../demo/receivers/chaos-schedule.ts';

function take(schedule: ChaosSchedule, n: number): ChaosAct[] {
  return Array.from({ length: n }, () => schedule.next());
}

test('a seed decides the sequence', () => {
  assert.deepEqual(take(new ChaosSchedule(7), 200), take(new ChaosSchedule(7), 200));
  assert.notDeepEqual(take(new ChaosSchedule(7), 200), take(new ChaosSchedule(8), 200));
});

test('each round holds every act as often as it weighs', () => {
  const schedule = new ChaosSchedule(1);
  const length = Object.values(EVERYTHING).reduce((sum, n) => sum + n, 0);
  for (let round = 0; round < 3; round++) {
    const acts = take(schedule, length);
    for (const act of CHAOS_ACTS) assert.equal(acts.filter((other) => other === act).length, EVERYTHING[act], act);
  }
});

test('what makes dead letters can be left out', () => {
  const acts = new Set(take(new ChaosSchedule(1, NOTHING_REJECTED), 200));
  const rejecting: ChaosAct[] = ['partial-rejected', 'status-400', 'status-409', 'status-413'];
  assert.deepEqual(
    CHAOS_ACTS.filter((act) => !acts.has(act)),
    rejecting,
  );
});

test('a schedule of nothing is an error', () => {
  assert.throws(() => new ChaosSchedule(1, { accept: 0 }), RangeError);
});
