import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Throttle } from '../../src/source/throttle.ts';

/** A throttle of 100 ms that counts its calls, on a clock that the test moves. */
function counted(t: TestContext, called: (throttle: Throttle, nth: number) => void = () => undefined) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const counter = {
    calls: 0,
    throttle: new Throttle(() => {
      counter.calls += 1;
      called(counter.throttle, counter.calls);
    }, 100),
  };
  return counter;
}

test('the first call comes at once, and many asked for meanwhile are one at the end of the interval', (t) => {
  const counter = counted(t);
  counter.throttle.ask();
  assert.equal(counter.calls, 1);
  for (let nth = 0; nth < 50; nth += 1) counter.throttle.ask();
  assert.equal(counter.throttle.isAsked, true);
  t.mock.timers.tick(99);
  assert.equal(counter.calls, 1);
  t.mock.timers.tick(1);
  assert.equal(counter.calls, 2);
  assert.equal(counter.throttle.isAsked, false);
});

test('after the interval of a late call has passed too, the next comes at once', (t) => {
  const counter = counted(t);
  counter.throttle.ask();
  counter.throttle.ask();
  t.mock.timers.tick(100);
  t.mock.timers.tick(50);
  counter.throttle.ask();
  assert.equal(counter.calls, 2, 'the late call began an interval of its own');
  t.mock.timers.tick(50);
  assert.equal(counter.calls, 3);
  t.mock.timers.tick(100);
  counter.throttle.ask();
  assert.equal(counter.calls, 4);
});

test('what asks while it is called is not forgotten', (t) => {
  const counter = counted(t, (throttle, nth) => {
    if (nth === 1) throttle.ask();
  });
  counter.throttle.ask();
  assert.equal(counter.calls, 1);
  t.mock.timers.tick(100);
  assert.equal(counter.calls, 2);
});

test('a stopped one calls no more', (t) => {
  const counter = counted(t);
  counter.throttle.ask();
  counter.throttle.ask();
  counter.throttle.stop();
  t.mock.timers.tick(1000);
  assert.equal(counter.calls, 1);
});
