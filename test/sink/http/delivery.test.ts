import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../src/sink/http/batch.ts';
import { Delivery } from '../../../src/sink/http/delivery.ts';
import type { Format } from '../../../src/sink/http/format.ts';
import type { HttpEvent } from '../../../src/sink/http/http-event.ts';
import { type HttpResponse, type Transport, TransportError } from '../../../src/sink/http/transport.ts';
import { DELIVERED, type Verdict } from '../../../src/sink/http/verdict.ts';
import { event, events, FakeBox, NEVER, recorder, sinkConfig } from './http-harness.ts';

/** Verdicts for the events of a request, by their lines; or the error that it fails with. */
type Answer = (lines: readonly string[], request: number) => readonly Verdict[] | Error;

const SPLIT: Verdict = { kind: 'split', reason: 'status 413' };
const REJECTED: Verdict = { kind: 'rejected', reason: 'status 422' };
const BLOCKED: Verdict = { kind: 'blocked', reason: 'status 401' };
const RETRY: Verdict = { kind: 'retry', reason: 'status 503' };
const OK = { status: 200, headers: {}, body: Buffer.alloc(0), complete: true, isTooLong: false } satisfies HttpResponse;

/** A delivery to a receiver that the test plays, on a clock that only sleeping moves. */
function setUp(answer: Answer, options: { random?: () => number; onSleep?: () => void } = {}) {
  const requests: string[][] = [];
  const sleeps: number[] = [];
  const box = new FakeBox();
  const records = recorder();
  const clock = { now: 1_000_000 };
  let verdicts: readonly Verdict[] = [];
  const transport: Transport = {
    send: async (body, signal) => {
      signal.throwIfAborted();
      const lines = body.toString().split(' ');
      requests.push(lines);
      const answered = answer(lines, requests.length);
      clock.now += 10;
      if (answered instanceof Error) throw answered;
      verdicts = answered;
      return OK;
    },
    close: async () => {},
  };
  const format: Format = {
    contentType: 'text/plain',
    endpoint: (url) => url,
    encode: (list) => Buffer.from(list.map(nameOf).join(' ')),
    judge: () => verdicts,
  };
  const delivery = new Delivery({
    sink: sinkConfig(),
    format,
    transport,
    deadLetters: box,
    occurrences: records.occurrences,
    now: () => clock.now,
    random: options.random ?? (() => 0),
    sleep: async (ms, signal) => {
      sleeps.push(ms);
      clock.now += ms;
      options.onSleep?.();
      if (signal.aborted) throw new Error('some other error, as that of a timer');
    },
  });
  return { delivery, requests, sleeps, box, clock, ...records };
}

function nameOf({ line }: HttpEvent): string {
  return String(JSON.parse(line.toString()).n);
}

function batchOf(...names: string[]): Batch {
  return { pending: names.map(event) };
}

function all(verdict: Verdict): Answer {
  return (lines) => lines.map(() => verdict);
}

function pendingOf(batch: Batch): string[] {
  return batch.pending.map(nameOf);
}

test('what is delivered leaves the batch, and is counted', async () => {
  const { delivery, requests, sleeps, metric, requestSeconds } = setUp(all(DELIVERED));
  const batch = batchOf('a', 'b');
  await delivery.deliver(batch, NEVER);
  assert.deepEqual(batch.pending, []);
  assert.deepEqual(requests, [['a', 'b']]);
  assert.deepEqual(sleeps, []);
  assert.equal(await metric('http_delivered_events_total'), 2);
  assert.equal(await metric('http_delivered_bytes_total'), 2 * '{"n":"a"}'.length);
  assert.deepEqual(await requestSeconds(), { sum: 0.01, count: 1 });
});

test('an empty batch is no request', async () => {
  const { delivery, requests } = setUp(() => assert.fail());
  await delivery.deliver({ pending: [] }, NEVER);
  assert.deepEqual(requests, []);
});

test('only the events to retry are sent again, together and in order', async () => {
  const { delivery, requests, sleeps, metric } = setUp((lines, request) =>
    lines.map((line) => (request === 1 && 'bd'.includes(line) ? RETRY : DELIVERED)),
  );
  await delivery.deliver(batchOf('a', 'b', 'c', 'd'), NEVER);
  assert.deepEqual(requests, [
    ['a', 'b', 'c', 'd'],
    ['b', 'd'],
  ]);
  assert.deepEqual(sleeps, [500]);
  assert.equal(await metric('http_receiver_away'), 0);
});

test('failures without progress wait longer and longer; progress starts anew', async () => {
  const highest = () => 1 - Number.EPSILON;
  const { delivery, sleeps } = setUp(
    (lines, request) =>
      lines.map((line) => (request === 4 && line === 'a' ? DELIVERED : request < 7 ? RETRY : DELIVERED)),
    { random: highest },
  );
  await delivery.deliver(batchOf('a', 'b'), NEVER);
  assert.deepEqual(sleeps.map(Math.round), [1000, 2000, 4000, 1000, 2000, 4000]);
});

test('pending is replaced after each answer', async () => {
  const batch = batchOf('a', 'b', 'c');
  const seen: string[][] = [];
  const { delivery } = setUp((lines, request) => {
    seen.push(pendingOf(batch));
    return lines.map((line) => (line === 'abc'[request - 1] ? DELIVERED : RETRY));
  });
  await delivery.deliver(batch, NEVER);
  assert.deepEqual(seen, [['a', 'b', 'c'], ['b', 'c'], ['c']]);
  assert.deepEqual(pendingOf(batch), []);
});

test('a receiver that cannot be reached is tried again without end', async () => {
  const { delivery, requests, sleeps, reasons, logs } = setUp((lines, request) =>
    request < 50
      ? new TransportError('unreachable', 'https://es.example: connection refused')
      : lines.map(() => DELIVERED),
  );
  await delivery.deliver(batchOf('a'), NEVER);
  assert.equal(requests.length, 50);
  assert.deepEqual(sleeps, Array(49).fill(500));
  assert.deepEqual(await reasons('http_retries_total'), { unreachable: 49 });
  assert.equal(logs[0]?.reason, 'https://es.example: connection refused');
  assert.equal(logs.at(-1)?.message, 'the receiver takes events again');
});

for (const [what, answer, reason] of [
  ['an answer that blocks', all(BLOCKED), 'http_200'],
  ['a receiver that is not trusted', () => new TransportError('untrusted', 'its certificate expired'), 'untrusted'],
] as const) {
  test(`${what} is tried again slowly from the start, with an alarm, and drops nothing`, async () => {
    const { delivery, sleeps, box, metric, reasons, logs } = setUp((lines, request) =>
      request < 6 ? answer(lines, request) : lines.map(() => DELIVERED),
    );
    await delivery.deliver(batchOf('a', 'b'), NEVER);
    assert.deepEqual(sleeps, Array(5).fill(30_000));
    assert.equal(box.letters.length, 0);
    assert.deepEqual(await reasons('http_blocked_total'), { http_401: 0, [reason]: 5 });
    assert.equal(logs.filter((line) => line.event === 'sink_blocked').length > 0, true);
    assert.equal(await metric('http_receiver_blocked'), 0);
  });
}

test('a request that loses its connection three times in a row is sent in halves; nothing is dropped for that', async () => {
  const { delivery, requests, box, metric } = setUp((lines, request) =>
    lines.includes('d') && request < 20 ? new TransportError('broken', 'reset') : lines.map(() => DELIVERED),
  );
  await delivery.deliver(batchOf(...'abcd'), NEVER);
  assert.deepEqual(
    requests.map((lines) => lines.join('')),
    [...Array(3).fill('abcd'), 'ab', ...Array(3).fill('cd'), 'c', ...Array(12).fill('d')],
  );
  assert.deepEqual(box.letters, []);
  assert.equal(await metric('http_splits_total'), 2);
});

test('only connections that were lost in a row count, and none that was never made', async () => {
  const broken = new TransportError('broken', 'reset');
  const refused = new TransportError('unreachable', 'connection refused');
  const { delivery, requests } = setUp((lines, request) => {
    if (request > 12) return lines.map(() => DELIVERED);
    if (request > 6) return refused;
    return request % 3 === 0 ? lines.map(() => RETRY) : broken;
  });
  await delivery.deliver(batchOf('a', 'b'), NEVER);
  assert.deepEqual(requests, Array(13).fill(['a', 'b']));
});

test('a receiver that takes every other request is told of now and then only, and its gauge is exact', async () => {
  const seen: number[] = [];
  const { delivery, logs, metric } = setUp((lines, request) =>
    request % 2 === 0 ? lines.map(() => DELIVERED) : lines.map(() => RETRY),
  );
  for (let i = 0; i < 50; i += 1) {
    await delivery.deliver(batchOf('a'), NEVER);
    seen.push(await metric('http_receiver_away'));
  }
  assert.equal(logs.filter((line) => line.message === 'the receiver takes events again').length, 1);
  assert.deepEqual(seen, Array(50).fill(0));
});

test('Retry-After is honoured, and by other batches too', async () => {
  const { delivery, requests, sleeps, clock } = setUp((lines, request) =>
    lines.map(() => (request === 1 ? { kind: 'retry', reason: 'status 429', retryAfterMs: 20_000 } : DELIVERED)),
  );
  const first = delivery.deliver(batchOf('a'), NEVER);
  // The clock moved when the first one went to sleep; set it back, as if both ran side by side.
  while (sleeps.length === 0) await null;
  clock.now -= 15_000;
  await Promise.all([first, delivery.deliver(batchOf('b'), NEVER)]);
  assert.equal(sleeps[0], 20_000);
  assert.ok(sleeps.slice(1).includes(15_000), `${sleeps}`);
  assert.deepEqual(requests.length, 3);
});

test('a clock that was set back does not stretch the pause for all beyond its limit', async () => {
  const { delivery, sleeps, clock } = setUp((lines, request) =>
    lines.map(() => (request === 1 ? { kind: 'retry', reason: 'status 429', retryAfterMs: 1000 } : DELIVERED)),
  );
  await delivery.deliver(batchOf('a'), NEVER);
  clock.now -= 86_400_000;
  await delivery.deliver(batchOf('b'), NEVER);
  assert.deepEqual(sleeps, [1000, 600_000]);
});

test('a refused request is split until the guilty event is alone; only that becomes a dead letter', async () => {
  const { delivery, requests, sleeps, box, metric } = setUp((lines) =>
    lines.includes('f') ? lines.map(() => SPLIT) : lines.map(() => DELIVERED),
  );
  const batch = batchOf(...'abcdefgh');
  await delivery.deliver(batch, NEVER);
  assert.deepEqual(
    requests.map((lines) => lines.join('')),
    ['abcdefgh', 'abcd', 'efgh', 'ef', 'e', 'f', 'gh'],
  );
  assert.deepEqual(sleeps, []);
  assert.deepEqual(
    box.letters.map((letter) => [nameOf(letter.event), letter.reason]),
    [['f', 'status 413']],
  );
  assert.deepEqual(batch.pending, []);
  assert.equal(await metric('http_splits_total'), 3);
  assert.equal(await metric('dead_letters_total'), 1);
});

test('each half is judged on its own', async () => {
  const { delivery, requests, box } = setUp((lines, request) => {
    if (request === 1) return lines.map(() => SPLIT);
    if (request === 2) return lines.map(() => RETRY);
    return lines.map((line) => (line === 'd' ? REJECTED : DELIVERED));
  });
  await delivery.deliver(batchOf(...'abcde'), NEVER);
  assert.deepEqual(
    requests.map((lines) => lines.join('')),
    ['abcde', 'abc', 'abc', 'de'],
  );
  assert.deepEqual(
    box.letters.map((letter) => nameOf(letter.event)),
    ['d'],
  );
});

test('a full batch of guilty events ends as dead letters, in order, after a request for each half', async () => {
  const list = events(2000);
  const { delivery, requests, box } = setUp(all(SPLIT));
  await delivery.deliver({ pending: list }, NEVER);
  assert.equal(requests.length, 2 * 2000 - 1);
  assert.deepEqual(
    box.letters.map((letter) => letter.event),
    list,
  );
});

test('events that are rejected become dead letters at once, with their own reasons', async () => {
  const { delivery, requests, box, metric } = setUp((lines) =>
    lines.map((line) => (line === 'b' ? DELIVERED : { kind: 'rejected', reason: `mapping of ${line}` })),
  );
  await delivery.deliver(batchOf('a', 'b', 'c'), NEVER);
  assert.equal(requests.length, 1);
  assert.deepEqual(
    box.letters.map((letter) => [nameOf(letter.event), letter.reason]),
    [
      ['a', 'mapping of a'],
      ['c', 'mapping of c'],
    ],
  );
  assert.equal(await metric('dead_letters_total'), 2);
});

test('dead letters that cannot be kept stay pending, behind the others, and are tried again slowly', async () => {
  const batch = batchOf('a', 'b', 'c', 'd');
  const { delivery, requests, sleeps, box, logs, metric } = setUp(
    (lines, request) => {
      if (request === 1) return lines.map(() => SPLIT);
      return lines.map((line) => (line === 'a' ? REJECTED : DELIVERED));
    },
    {
      onSleep: () => {
        if (sleeps.length === 1) assert.deepEqual(pendingOf(batch), ['a', 'c', 'd']);
        if (sleeps.length === 2) assert.deepEqual(pendingOf(batch), ['a']);
        if (sleeps.length === 2) box.isFull = false;
      },
    },
  );
  box.isFull = true;
  await delivery.deliver(batch, NEVER);
  assert.deepEqual(
    requests.map((lines) => lines.join('')),
    ['abcd', 'ab', 'cd', 'a', 'a'],
  );
  assert.deepEqual(sleeps, [30_000, 30_000]);
  assert.deepEqual(
    box.letters.map((letter) => nameOf(letter.event)),
    ['a'],
  );
  assert.equal(
    logs.some((line) => line.event === 'dead_letters_stuck'),
    true,
  );
  assert.equal(await metric('dead_letters_total'), 1);
});

test('an answer that is silent about an event, and a format that fails, mean another try', async () => {
  const silent = setUp((lines, request) => (request === 1 ? [DELIVERED] : lines.map(() => DELIVERED)));
  await silent.delivery.deliver(batchOf('a', 'b'), NEVER);
  assert.deepEqual(silent.requests, [['a', 'b'], ['b']]);
  const failing = setUp((lines, request) =>
    request === 1 ? new TypeError('x is undefined') : lines.map(() => DELIVERED),
  );
  await failing.delivery.deliver(batchOf('a'), NEVER);
  assert.deepEqual(failing.requests, [['a'], ['a']]);
});

test('the signal ends it with its reason, while sending, sleeping or waiting for all; pending holds the rest', async () => {
  const reason = new Error('shutting down');
  const is = (error: unknown) => error === reason;

  const sleeping = new AbortController();
  const batch = batchOf('a', 'b', 'c');
  const one = setUp(
    (lines) => lines.map((line) => (line === 'b' ? DELIVERED : { kind: 'retry', reason: 'x', retryAfterMs: 9000 })),
    {
      onSleep: () => sleeping.abort(reason),
    },
  );
  await assert.rejects(one.delivery.deliver(batch, sleeping.signal), is);
  assert.deepEqual(pendingOf(batch), ['a', 'c']);

  const other = batchOf('d');
  one.clock.now -= 5000;
  const waiting = new AbortController();
  const aborted = one.delivery.deliver(other, waiting.signal);
  waiting.abort(reason);
  await assert.rejects(aborted, is);
  assert.deepEqual(pendingOf(other), ['d']);
  assert.equal(one.requests.length, 1);

  const sending = new AbortController();
  const two = setUp(() => {
    sending.abort(reason);
    return new Error('aborted, in words of its own');
  });
  await assert.rejects(two.delivery.deliver(batchOf('a'), sending.signal), is);
  assert.equal(two.sleeps.length, 0);

  const three = setUp(all(DELIVERED));
  await assert.rejects(three.delivery.deliver(batchOf('a'), AbortSignal.abort(reason)), is);
  assert.equal(three.requests.length, 0);
});

test('an answer that comes with the abort still counts', async () => {
  const stop = new AbortController();
  const batch = batchOf('a', 'b');
  const { delivery } = setUp((lines) => {
    stop.abort();
    return lines.map((line) => (line === 'a' ? DELIVERED : RETRY));
  });
  await assert.rejects(delivery.deliver(batch, stop.signal));
  assert.deepEqual(pendingOf(batch), ['b']);
});

test('under any schedule of verdicts each event ends once, delivered or dead, and pending keeps its order', async () => {
  const verdict: fc.Arbitrary<Verdict> = fc.oneof(
    { weight: 4, arbitrary: fc.constant(DELIVERED) },
    { weight: 2, arbitrary: fc.constantFrom(RETRY, { ...RETRY, retryAfterMs: 3000 }) },
    { weight: 1, arbitrary: fc.constantFrom(BLOCKED, REJECTED, SPLIT) },
  );
  /** One verdict for the request as a whole, one for each event, too few of them, or no answer. */
  const step = fc.oneof(
    verdict.map((one) => ({ whole: one })),
    fc.array(verdict, { minLength: 1, maxLength: 12 }).map((each) => ({ each })),
    fc.constantFrom('unreachable' as const, 'broken' as const, 'untrusted' as const).map((kind) => ({ kind })),
  );
  const schedule = fc.record({
    size: fc.integer({ min: 0, max: 12 }),
    steps: fc.array(step, { maxLength: 30 }),
    fullUntil: fc.integer({ min: 0, max: 8 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(schedule, async ({ size, steps, fullUntil, random }) => {
      const list = events(size);
      const names = list.map(nameOf);
      const batch: Batch = { pending: list };
      const delivered: string[] = [];
      const checkPending = () => {
        const dead = box.letters.map((letter) => nameOf(letter.event));
        const done = new Set([...delivered, ...dead]);
        const rest = names.filter((name) => !done.has(name));
        assert.deepEqual(pendingOf(batch), rest, 'pending is what is not done, in order');
      };
      const { delivery, box } = setUp(
        (lines, request) => {
          checkPending();
          assert.deepEqual(
            lines,
            lines.toSorted((a, b) => Number(a) - Number(b)),
            'a request keeps the order',
          );
          for (const line of lines) assert.ok(pendingOf(batch).includes(line), 'nothing is sent that is done');
          box.isFull = request <= fullUntil;
          const now = steps[request - 1];
          if (now !== undefined && 'kind' in now) return new TransportError(now.kind, 'no answer');
          const verdicts = lines.flatMap((_line, i) => {
            if (now === undefined) return [DELIVERED];
            return 'whole' in now ? [now.whole] : now.each.slice(i, i + 1);
          });
          lines.forEach((line, i) => void (verdicts[i]?.kind === 'delivered' && delivered.push(line)));
          return verdicts;
        },
        { random: () => random },
      );
      await delivery.deliver(batch, NEVER);
      checkPending();
      const dead = box.letters.map((letter) => nameOf(letter.event));
      assert.deepEqual([...delivered, ...dead].toSorted(), names.toSorted());
      assert.deepEqual(batch.pending, []);
    }),
    { numRuns: 500 },
  );
});
