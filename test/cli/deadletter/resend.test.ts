import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { DeadLetterStore } from '../../../src/checkpoint/dead-letter-store.ts';
import { letterIds } from '../../../src/cli/deadletter/letter-sinks.ts';
import { resendAll } from '../../../src/cli/deadletter/resend-all.ts';
import { resendLetters } from '../../../src/cli/deadletter/resend-letters.ts';
import type { Config } from '../../../src/config/types.ts';
import { AuditailError } from '../../../src/errors.ts';
import type { Format } from '../../../src/sink/http/format.ts';
import type { HttpEvent } from '../../../src/sink/http/http-event.ts';
import { type HttpResponse, TransportError } from '../../../src/sink/http/transport.ts';
import type { Verdict } from '../../../src/sink/http/verdict.ts';
import { HttpOccurrences } from '../../../src/telemetry/http-occurrences.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { tempState } from '../../checkpoint/temp-state.ts';

const OK: HttpResponse = { status: 200, headers: {}, body: Buffer.alloc(0), complete: true, isTooLong: false };
const DELIVERED: Verdict = { kind: 'delivered' };

class Scene {
  readonly store: DeadLetterStore;
  readonly stop = new AbortController();
  /** The numbers of each request. */
  readonly requests: number[][] = [];
  /** What the receiver says to each event of a request. */
  judge: (numbers: readonly number[]) => readonly Verdict[] = (numbers) => numbers.map(() => DELIVERED);
  send: () => Promise<HttpResponse> = async () => OK;
  batch = { events: 4, bytes: 1000, ageMs: 1000 };

  constructor(t: TestContext, letters: number) {
    this.store = DeadLetterStore.open(tempState(t), 'process');
    t.after(() => this.store.close());
    const occurrences = new HttpOccurrences(new Telemetry(pino({ level: 'silent' })), 'es');
    const events = Array.from({ length: letters }, (_, n) => {
      const line = Buffer.from(JSON.stringify({ n }));
      return { tag: 't', time: n, line, source: 's', path: '/log', offset: n };
    });
    this.store
      .box('es', { maxBytes: 1e6, overflow: 'block' }, occurrences)
      .add(events.map((event) => ({ event, reason: 'first' })));
  }

  readonly format: Format = {
    contentType: 'application/json',
    endpoint: (url) => url,
    encode: (events) => Buffer.concat(events.map(({ line }) => line)),
    judge: (_response, events) => {
      const numbers = events.map(numberOf);
      this.requests.push(numbers);
      return this.judge(numbers);
    },
  };
  isClosed = false;
  out = '';

  get connection() {
    const close = async () => {
      this.isClosed = true;
    };
    return { format: this.format, transport: { send: () => this.send(), close } };
  }

  /** The whole command, with these sinks configured. */
  resendAll(sinks: readonly string[], given: { sink?: string; id?: string[] } = {}): Promise<boolean> {
    const config = { sinks: sinks.map((name) => ({ name, type: 'http', batch: this.batch })) } as unknown as Config;
    const stdout = {
      write: (text: string | Uint8Array) => {
        this.out += text;
        return true;
      },
    };
    const terminal = { stdin: new PassThrough(), stdout, stderr: stdout, env: {} };
    const connect = () => this.connection;
    return resendAll({ config, store: this.store, ...given, terminal, connect, signal: this.stop.signal });
  }

  resend() {
    const ids = letterIds(this.store, 'es');
    return resendLetters({
      store: this.store,
      ids,
      batch: this.batch,
      connection: this.connection,
      signal: this.stop.signal,
    });
  }

  /** Numbers of the letters that are left, with reason and attempts. */
  get left(): [number, string, number][] {
    return this.store.ids('es', { limit: 100 }).map((id) => {
      const { event, reason, attempts } = this.store.get(id)!;
      return [numberOf(event), reason, attempts];
    });
  }
}

function numberOf({ line }: Pick<HttpEvent, 'line'>): number {
  return JSON.parse(line.toString()).n;
}

test('what is delivered is removed, in batches as the sink makes them', async (t) => {
  const scene = new Scene(t, 6);
  assert.deepEqual(await scene.resend(), { delivered: 6, rejected: 0, away: undefined });
  assert.deepEqual(scene.requests, [
    [0, 1, 2, 3],
    [4, 5],
  ]);
  assert.deepEqual(scene.left, []);
});

test('a batch is limited by bytes too', async (t) => {
  const scene = new Scene(t, 3);
  scene.batch.bytes = 14;
  await scene.resend();
  assert.deepEqual(scene.requests, [[0, 1], [2]]);
});

test('what is rejected again stays, with the new reason and one attempt more, and is not sent twice', async (t) => {
  const scene = new Scene(t, 6);
  scene.judge = (numbers) => numbers.map((n) => (n % 2 === 0 ? DELIVERED : { kind: 'rejected', reason: `wrong ${n}` }));
  assert.deepEqual(await scene.resend(), { delivered: 3, rejected: 3, away: undefined });
  assert.deepEqual(scene.left, [
    [1, 'wrong 1', 2],
    [3, 'wrong 3', 2],
    [5, 'wrong 5', 2],
  ]);
});

test('a batch that is refused as a whole is split until the guilty letter is alone', async (t) => {
  const scene = new Scene(t, 4);
  scene.judge = (numbers) => numbers.map(() => (numbers.includes(2) ? { kind: 'split', reason: '413' } : DELIVERED));
  assert.deepEqual(await scene.resend(), { delivered: 3, rejected: 1, away: undefined });
  assert.deepEqual(scene.left, [[2, '413', 2]]);
  assert.deepEqual(scene.requests, [[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]);
});

for (const kind of ['retry', 'blocked'] as const) {
  test(`a receiver that says ${kind} ends it; what it took of the request is removed, the rest stays as it is`, async (t) => {
    const scene = new Scene(t, 6);
    scene.judge = (numbers) => numbers.map((n) => (n === 1 ? DELIVERED : { kind, reason: 'overloaded' }));
    assert.deepEqual(await scene.resend(), { delivered: 1, rejected: 0, away: 'overloaded' });
    assert.equal(scene.requests.length, 1);
    assert.deepEqual(
      scene.left,
      [0, 2, 3, 4, 5].map((n) => [n, 'first', 1]),
    );
  });
}

test('a receiver that cannot be reached ends it, and everything stays', async (t) => {
  const scene = new Scene(t, 2);
  scene.send = async () => {
    throw new TransportError('unreachable', 'connect ECONNREFUSED');
  };
  assert.deepEqual(await scene.resend(), { delivered: 0, rejected: 0, away: 'connect ECONNREFUSED' });
  assert.equal(scene.left.length, 2);
});

test('an interruption in the middle of a request keeps its letters, and what was delivered before is removed', async (t) => {
  const scene = new Scene(t, 6);
  let sent = 0;
  scene.send = async () => {
    sent += 1;
    if (sent === 1) return OK;
    scene.stop.abort();
    throw scene.stop.signal.reason;
  };
  assert.deepEqual(await scene.resend(), { delivered: 4, rejected: 0, away: undefined });
  assert.deepEqual(
    scene.left,
    [4, 5].map((n) => [n, 'first', 1]),
  );
});

test('a letter that is dropped meanwhile is passed over, and one that comes meanwhile waits', async (t) => {
  const scene = new Scene(t, 6);
  const occurrences = new HttpOccurrences(new Telemetry(pino({ level: 'silent' })), 'es');
  const box = scene.store.box('es', { maxBytes: 1e6, overflow: 'block' }, occurrences);
  scene.send = async () => {
    scene.store.remove([6]);
    const line = Buffer.from('{"n":9}');
    box.add([{ event: { tag: 't', time: 0, line, source: 's', path: '/log', offset: 0 }, reason: 'new' }]);
    return OK;
  };
  assert.deepEqual(await scene.resend(), { delivered: 5, rejected: 0, away: undefined });
  assert.deepEqual(new Set(scene.left.map(([n]) => n)), new Set([9]));
});

test('the command says what became of the letters of each sink, and closes its connections', async (t) => {
  const scene = new Scene(t, 3);
  scene.judge = (numbers) => numbers.map((n) => (n === 0 ? DELIVERED : { kind: 'rejected', reason: 'no' }));
  assert.equal(await scene.resendAll(['es']), false);
  assert.equal(scene.out, 'es: 1 dead letter delivered, 2 rejected again\n');
  assert.ok(scene.isClosed);
  scene.judge = (numbers) => numbers.map(() => DELIVERED);
  scene.out = '';
  assert.equal(await scene.resendAll(['es'], { id: ['3'] }), true);
  assert.equal(await scene.resendAll(['es'], { sink: 'es' }), true);
  assert.equal(await scene.resendAll(['es']), true);
  assert.equal(scene.out, 'es: 1 dead letter delivered\nes: 1 dead letter delivered\nthere are no dead letters\n');
});

test('the command fails with one sentence when the receiver is away, or it is interrupted', async (t) => {
  const scene = new Scene(t, 2);
  scene.send = async () => {
    throw new TransportError('unreachable', 'connect ECONNREFUSED\x1b[2J');
  };
  await assert.rejects(
    scene.resendAll(['es']),
    (error) =>
      error instanceof AuditailError &&
      error.code === 'DEADLETTER_AWAY' &&
      error.message === 'the receiver of the sink es takes no events now: connect ECONNREFUSED\\x1b[2J',
  );
  assert.ok(scene.isClosed);
  scene.stop.abort();
  await assert.rejects(scene.resendAll(['es']), /interrupted: what was not delivered is kept/);
  assert.equal(scene.left.length, 2);
});

test('letters of a sink that the configuration does not name stay, and that is a failure', async (t) => {
  const scene = new Scene(t, 2);
  assert.equal(await scene.resendAll(['loki']), false);
  assert.match(scene.out, /^es: its letters stay, because the configuration does not name this sink/);
  assert.equal(scene.left.length, 2);
  await assert.rejects(scene.resendAll(['loki'], { sink: 'splunk' }), /there is no HTTP sink "splunk"/);
  await assert.rejects(scene.resendAll(['loki'], { id: ['7'] }), /no dead letter with the id 7/);
});
