import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { CONDITION_PLANS, DESCRIPTIONS, WEIGHTS } from '../../demo/condition-plan.ts';
import type { ReceiverResult } from '../../demo/demo-receiver.ts';
import { type DeliveryResult, isDelivered, printActs, printDelivery } from '../../demo/receiver-report.ts';
import { NOTHING_REJECTED } from '../../demo/receivers/chaos-schedule.ts';
import { Screen } from '../../demo/screen.ts';

function output(isTTY: boolean): { screen: Screen; text: () => string } {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { screen: new Screen(Object.assign(out, { isTTY }) as unknown as NodeJS.WriteStream), text: () => text };
}

const GOOD = { stored: 10, lost: 0, duplicated: 0, foreign: 0, recognised: 0 };
const elasticsearch: ReceiverResult = {
  ...GOOD,
  name: 'elasticsearch',
  isExactlyOnce: true,
  recognised: 1500,
  acts: new Map([
    ['accept', 1200],
    ['drip', 34],
  ]),
};
const ndjson: ReceiverResult = {
  ...GOOD,
  name: 'ndjson',
  isExactlyOnce: false,
  stored: 13,
  duplicated: 3,
  acts: new Map([['hang', 2]]),
};

function printed(result: DeliveryResult): string {
  const { screen, text } = output(false);
  printDelivery(screen, 10, result);
  return text();
}

describe('the report on receivers', () => {
  test('everything arrived, and what ids cannot tell arrived more than once', () => {
    const result = { receivers: [elasticsearch, ndjson], deadLetters: [] };
    assert.equal(isDelivered(result), true);
    assert.equal(
      printed(result),
      'demo http: elasticsearch: 10 written, 10 stored, 0 lost, 0 duplicated\n' +
        'demo http: ndjson: 10 written, 13 received, 0 lost, 3 duplicated\n',
    );
  });

  for (const [what, result, text] of [
    ['an event is lost', { receivers: [{ ...ndjson, lost: 1 }], deadLetters: [] }, /received, 1 lost/],
    ['one is stored twice', { receivers: [{ ...elasticsearch, duplicated: 1 }], deadLetters: [] }, /1 duplicated/],
    ['one was never written', { receivers: [{ ...ndjson, foreign: 2 }], deadLetters: [] }, /ndjson: 2 events that/],
    [
      'one was put aside',
      { receivers: [ndjson], deadLetters: ['{"reason":"bad"}'] },
      /1 dead letters.+\n {2}\{"reason/,
    ],
  ] as const) {
    test(`it is a failure when ${what}`, () => {
      assert.equal(isDelivered(result), false);
      assert.match(printed(result), text);
    });
  }

  test('the table counts what was done to requests', () => {
    const { screen, text } = output(false);
    printActs(screen, [elasticsearch, ndjson]);
    assert.match(text(), /│ accepted +│ +1,234 │ +0 │/);
    assert.match(text(), /│ no answer +│ +0 │ +2 │/);
    assert.match(text(), /elasticsearch got 1,500 events again/);
  });
});

test('a receiver has every condition, ends well, and never makes a dead letter', () => {
  for (const plan of Object.values(CONDITION_PLANS)) {
    assert.deepEqual(new Set(plan.map(({ condition }) => condition)), new Set(Object.keys(DESCRIPTIONS)));
    assert.equal(plan.at(-1)!.condition, 'well');
    const moments = plan.map(({ at }) => at);
    assert.deepEqual(
      moments,
      moments.toSorted((a, b) => a - b),
    );
    assert.ok(moments.every((at) => at > 0 && at < 1));
  }
  for (const weights of Object.values(WEIGHTS)) {
    assert.ok(weights.accept! > 0);
    for (const act of Object.keys(weights)) assert.ok(act in NOTHING_REJECTED, act);
  }
});

test('several lines are redrawn in their place, below those that stay', async () => {
  const { screen, text } = output(true);
  // The first one is shown when the interval has passed.
  const until = performance.now() + 5000;
  while (text() === '' && performance.now() < until) {
    screen.live(() => 'one\ntwo\nthree');
    await new Promise((resolve) => setImmediate(resolve));
  }
  const drawn = '\x1b[?7lone\ntwo\nthree\x1b[?7h';
  const cleared = '\r\x1b[K\x1b[A\x1b[K\x1b[A\x1b[K';
  assert.equal(text(), drawn);
  screen.print('stays');
  assert.equal(text(), `${drawn}${cleared}stays\n${drawn}`);
  screen.endLive();
  screen.endLive();
  assert.equal(text(), `${drawn}${cleared}stays\n${drawn}${cleared}`);
});
