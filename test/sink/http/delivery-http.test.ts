import assert from 'node:assert/strict';
import http from 'node:http';
import { type TestContext, test } from 'node:test';
import type { Batch } from '../../../src/sink/http/batch.ts';
import { Delivery } from '../../../src/sink/http/delivery.ts';
import {
  events,
  FakeBox,
  lineFormat,
  linesOf,
  listen,
  NEVER,
  recorder,
  sinkConfig,
  startServer,
  transportTo,
} from './http-harness.ts';

/** Long enough for a machine that is busy, short enough for those tests that wait for it. */
const TIMEOUT_MS = 300;

type Fault = (response: http.ServerResponse, store: () => void) => void;

function status(code: number, headers: http.OutgoingHttpHeaders = {}): Fault {
  return (response) => void response.writeHead(code, headers).end(`status ${code}`);
}

/** A delivery to a real receiver that answers its first requests with faults, and then stores what comes. */
async function setUp(t: TestContext, faults: readonly Fault[]) {
  const stored: string[] = [];
  const sleeps: number[] = [];
  const box = new FakeBox();
  const records = recorder();
  let requests = 0;
  let now = 0;
  const server = await startServer(t, ({ body }, response) => {
    const store = () => void stored.push(...linesOf(body));
    const fault = faults[requests];
    requests += 1;
    if (fault !== undefined) {
      fault(response, store);
      return;
    }
    store();
    response.end();
  });
  const transport = transportTo(t, `${server.origin}/in`, { timeoutMs: TIMEOUT_MS, compress: 'gzip' });
  const delivery = new Delivery({
    sink: sinkConfig(),
    format: lineFormat,
    transport,
    deadLetters: box,
    occurrences: records.occurrences,
    now: () => now,
    random: () => 0,
    sleep: async (ms) => {
      sleeps.push(ms);
      now += ms;
    },
  });
  return { delivery, stored, sleeps, box, server, ...records };
}

const LIST = events(5);
const LINES = LIST.map(({ line }) => line.toString());

interface Expected {
  readonly sleeps: readonly number[];
  /** How often each event is in the receiver; once unless told. */
  readonly copies?: number;
}

const SLOW = { sleeps: [30_000] };
const SOON = { sleeps: [500] };

const CASES: Readonly<Record<string, readonly [Fault, Expected]>> = {
  '200': [status(200), { sleeps: [], copies: 0 }],
  '302': [status(302, { location: 'http://127.0.0.1:1/' }), SLOW],
  '401': [status(401), SLOW],
  '403': [status(403), SLOW],
  '404': [status(404), SLOW],
  '408': [status(408), SOON],
  '429': [status(429), SOON],
  '429 with Retry-After in seconds': [status(429, { 'retry-after': '7' }), { sleeps: [7000] }],
  '500': [status(500), SOON],
  '502': [status(502), SOON],
  '503': [status(503), SOON],
  'a reset before it is stored': [(response) => void response.socket!.resetAndDestroy(), SOON],
  'a reset after it is stored': [
    (response, store) => {
      store();
      response.socket!.resetAndDestroy();
    },
    { sleeps: [500], copies: 2 },
  ],
  'a hang before the answer': [() => {}, SOON],
  'a hang after the headers': [(response) => void response.writeHead(200).flushHeaders(), SOON],
  'an answer that drips': [
    (response) => {
      response.writeHead(200).flushHeaders();
      const timer = setInterval(() => void response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    },
    SOON,
  ],
  'an answer that never ends': [
    (response) => {
      const chunk = Buffer.alloc(1 << 20);
      const pump = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pump);
      pump();
    },
    SOON,
  ],
  'garbage for an answer': [(response) => void response.socket!.end('220 smtp.example ESMTP\r\n'), SOON],
};

for (const [what, [fault, { sleeps: expected, copies = 1 }]] of Object.entries(CASES)) {
  test(`${what}: every event arrives, and none is a dead letter`, async (t) => {
    const { delivery, stored, sleeps, box } = await setUp(t, [fault]);
    const batch: Batch = { pending: LIST };
    await delivery.deliver(batch, NEVER);
    assert.deepEqual(batch.pending, []);
    assert.deepEqual(sleeps, expected);
    assert.deepEqual(stored, Array(copies).fill(LINES).flat());
    assert.deepEqual(box.letters, []);
  });
}

test('429 with Retry-After as a date waits until then', async (t) => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();
  const { delivery, stored, sleeps } = await setUp(t, [status(429, { 'retry-after': inAMinute })]);
  await delivery.deliver({ pending: LIST }, NEVER);
  // HTTP dates have whole seconds.
  assert.ok(sleeps[0]! > 50_000 && sleeps[0]! <= 60_000, `${sleeps[0]}`);
  assert.deepEqual(stored, LINES);
});

for (const code of [409, 422]) {
  test(`${code} for the request makes dead letters with the reason`, async (t) => {
    const { delivery, stored, box } = await setUp(t, [status(code)]);
    await delivery.deliver({ pending: LIST }, NEVER);
    assert.deepEqual(stored, []);
    assert.deepEqual(
      box.letters,
      LIST.map((event) => ({ event, reason: `status ${code}` })),
    );
  });
}

for (const code of [400, 413]) {
  test(`${code}: the poisonous event ends alone, the others arrive in order`, async (t) => {
    const stored: string[] = [];
    const poison = LINES[3]!;
    const box = new FakeBox();
    const { occurrences } = recorder();
    const server = await startServer(t, ({ body }, response) => {
      const lines = linesOf(body);
      if (lines.includes(poison)) return void response.writeHead(code).end();
      stored.push(...lines);
      response.end();
    });
    const delivery = new Delivery({
      sink: sinkConfig(),
      format: lineFormat,
      transport: transportTo(t, server.origin),
      deadLetters: box,
      occurrences,
      now: () => 0,
      random: () => 0,
      sleep: () => assert.fail('a split is no failure'),
    });
    await delivery.deliver({ pending: LIST }, NEVER);
    assert.deepEqual(
      stored,
      LINES.filter((line) => line !== poison),
    );
    assert.deepEqual(box.letters, [{ event: LIST[3], reason: `status ${code}` }]);
  });
}

for (const [what, bytes] of [
  ['small', 200],
  ['large', 3 << 20],
] as const) {
  for (const answers of [true, false]) {
    const how = answers ? '413 at once and then' : 'with nothing but';
    test(`a receiver that answers ${how} a reset to a ${what} body gets it in halves`, async (t) => {
      const list = LIST.map((one, i) => ({
        ...one,
        line: Buffer.from(JSON.stringify({ n: i, x: 'x'.repeat(bytes) })),
      }));
      const limit = bytes * 3;
      const stored: string[] = [];
      const server = http.createServer((request, response) => {
        const chunks: Buffer[] = [];
        if (Number(request.headers['content-length']) > limit) {
          const { socket } = request;
          if (answers) response.writeHead(413, { connection: 'close' }).end('too large');
          if (answers) socket.end(() => socket.resetAndDestroy());
          else socket.resetAndDestroy();
          return;
        }
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          stored.push(...linesOf(Buffer.concat(chunks)));
          response.end();
        });
      });
      const port = await listen(t, server);
      const box = new FakeBox();
      const delivery = new Delivery({
        sink: sinkConfig(),
        format: lineFormat,
        transport: transportTo(t, `http://127.0.0.1:${port}/`),
        deadLetters: box,
        occurrences: recorder().occurrences,
        now: () => 0,
        random: () => 0,
        sleep: async () => undefined,
      });
      await delivery.deliver({ pending: list }, NEVER);
      assert.deepEqual(
        stored,
        list.map(({ line }) => line.toString()),
      );
      assert.deepEqual(box.letters, []);
    });
  }
}

test('one fault after another: every event arrives', async (t) => {
  const faults = Object.values(CASES)
    .map(([fault]) => fault)
    .slice(1);
  const { delivery, stored, box, metric } = await setUp(t, faults);
  await Promise.all([
    delivery.deliver({ pending: LIST.slice(0, 2) }, NEVER),
    delivery.deliver({ pending: LIST.slice(2) }, NEVER),
  ]);
  assert.deepEqual([...new Set(stored)].toSorted(), LINES.toSorted());
  assert.deepEqual(box.letters, []);
  assert.equal(await metric('http_delivered_events_total'), LINES.length);
});
