import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Throttle } from '../../src/source/throttle.ts';

test('the first call comes at once, and many asked for meanwhile are one at the end of the interval', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  const throttle = new Throttle(() => {
    calls += 1;
  }, 100);
  throttle.ask();
  assert.equal(calls, 1);
  for (let nth = 0; nth < 50; nth += 1) throttle.ask();
  assert.equal(throttle.isAsked, true);
  t.mock.timers.tick(99);
  assert.equal(calls, 1);
  t.mock.timers.tick(1);
  assert.equal(calls, 2);
  assert.equal(throttle.isAsked, false);
});

test('after the interval of a late call has passed too, the next comes at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  const throttle = new Throttle(() => {
    calls += 1;
  }, 100);
  throttle.ask();
  throttle.ask();
  t.mock.timers.tick(100);
  t.mock.timers.tick(50);
  throttle.ask();
  assert.equal(calls, 2, 'the late call began an interval of its own');
  t.mock.timers.tick(50);
  assert.equal(calls, 3);
  t.mock.timers.tick(100);
  throttle.ask();
  assert.equal(calls, 4);
});

test('what asks while it is called is not forgotten', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  const throttle = new Throttle(() => {
    calls += 1;
    if (calls === 1) throttle.ask();
  }, 100);
  throttle.ask();
  assert.equal(calls, 1);
  t.mock.timers.tick(100);
  assert.equal(calls, 2);
});

test('a stopped one calls no more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  const throttle = new Throttle(() => {
    calls += 1;
  }, 100);
  throttle.ask();
  throttle.ask();
  throttle.stop();
  t.mock.timers.tick(1000);
  assert.equal(calls, 1);
});
