import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { counterKey } from '../../../src/cli/top/look.ts';
import { Rates } from '../../../src/cli/top/rates.ts';
import { lookAt } from './views.ts';

const NAME = 'received_events_total';

/** A look at a second of the test, with the count of one counter; undefined: it is not there. */
function look(second: number, count: number | undefined, { pid = 1, uptime = 100 + second } = {}) {
  const { status } = lookAt({ pid });
  const counters = new Map(count === undefined ? [] : [[counterKey(NAME, 'a'), count]]);
  return { status, at: second * 1000, uptimeSeconds: uptime, counters };
}

function rateOf(...looks: ReturnType<typeof look>[]): number | undefined {
  const rates = new Rates();
  for (const one of looks) rates.add(one);
  return rates.perSecond(NAME, 'a');
}

test('one look has no rate, two have', () => {
  assert.equal(rateOf(), undefined);
  assert.equal(rateOf(look(0, 500)), undefined);
  assert.equal(rateOf(look(0, 500), look(2, 700)), 100);
  assert.equal(rateOf(look(0, 500), look(2, 500)), 0);
  assert.equal(rateOf(look(0, 500), look(0, 600)), undefined);
});

test('looks that are far apart still have a rate, and old ones are forgotten', () => {
  assert.equal(rateOf(look(0, 0), look(60, 600)), 10);
  assert.equal(rateOf(look(0, 0), look(60, 600), look(120, 600)), 0);
  const looks = Array.from({ length: 60 }, (_, second) => look(second, second < 30 ? 1000 * second : 29_000 + second));
  assert.equal(rateOf(...looks), 1);
});

test('a counter that appears has counted from 0', () => {
  assert.equal(rateOf(look(0, undefined), look(2, 20)), 10);
  assert.equal(rateOf(look(0, undefined), look(2, undefined)), 0);
});

test('a reload lets counters begin anew: what they then have is what was counted', () => {
  assert.equal(rateOf(look(0, 1000), look(2, 60)), 30);
  assert.equal(rateOf(look(0, 1000), look(2, 1000), look(4, undefined), look(6, 60)), 10);
});

test('another process is not compared with the one before', () => {
  assert.equal(rateOf(look(0, 10), look(2, 1000, { pid: 2 })), undefined);
  assert.equal(rateOf(look(0, 10), look(2, 1000, { pid: 2 }), look(4, 1010, { pid: 2 })), 5);
  // In a container each is the first one.
  assert.equal(rateOf(look(0, 10), look(2, 1000, { uptime: 1 })), undefined);
});

test('what is counted in steps is measured from step to step', () => {
  // 100 a second, counted every 5 s, and a look each second.
  for (let end = 12; end < 30; end += 1) {
    const looks = Array.from({ length: end }, (_, second) => look(second, 500 * Math.floor(second / 5)));
    assert.equal(rateOf(...looks), 100, `${end} s`);
  }
});

test('when it ends the rate goes to 0', () => {
  const looks = Array.from({ length: 40 }, (_, second) => look(second, 500 * Math.floor(Math.min(second, 20) / 5)));
  assert.equal(rateOf(...looks), 0);
});

test('a rate is never less than 0, nor more than the whole increase in the shortest time', () => {
  const steps = fc.array(
    fc.record({ second: fc.integer({ min: 1, max: 8 }), count: fc.option(fc.nat(), { nil: undefined }) }),
    {
      minLength: 2,
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(steps, (given) => {
      let second = 0;
      const looks = given.map((step) => {
        second += step.second;
        return look(second, step.count);
      });
      const rate = rateOf(...looks)!;
      const most = given.reduce((sum, { count }) => sum + (count ?? 0), 0);
      assert.ok(rate >= 0 && rate <= most, `${rate}`);
    }),
  );
});
