import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { openDatabase } from '../../../src/checkpoint/database.ts';
import { DeadLetterStore } from '../../../src/checkpoint/dead-letter-store.ts';
import { SpoolRecords } from '../../../src/checkpoint/spool-records.ts';
import { FileSecret } from '../../../src/config/secret.ts';
import type { HttpSinkConfig } from '../../../src/config/types.ts';
import { createHttpSink } from '../../../src/sink/http/create-http-sink.ts';
import type { HttpSink } from '../../../src/sink/http/http-sink.ts';
import { HttpOccurrences } from '../../../src/telemetry/http-occurrences.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { linesOf, secret, sinkConfig, startServer } from './http-harness.ts';

/** A sink as the agent makes it, which is closed when the test is over. */
async function startSink(t: TestContext, config: Partial<HttpSinkConfig>) {
  const stateDir = mkdtempSync(path.join(os.tmpdir(), 'auditail-create-sink-'));
  const logs: Record<string, unknown>[] = [];
  const log = pino({ base: null, messageKey: 'message' }, { write: (line: string) => logs.push(JSON.parse(line)) });
  const db = openDatabase(stateDir, 'process');
  const deadLetters = DeadLetterStore.open(stateDir, 'process');
  const full = sinkConfig({
    batch: { events: 10, bytes: 1 << 20, ageMs: 10 },
    retry: { minMs: 5, maxMs: 20 },
    spool: { afterMs: 50, maxBytes: 1 << 20, overflow: 'block' },
    ...config,
  });
  const sink = createHttpSink(full, {
    stateDir,
    durability: 'process',
    occurrences: new HttpOccurrences(new Telemetry(log), full.name),
    spools: new SpoolRecords(db),
    deadLetters,
    share: 1 << 20,
    now: Date.now,
    wake: () => undefined,
  });
  t.after(async () => {
    await sink.close();
    db.close();
    deadLetters.close();
    rmSync(stateDir, { recursive: true });
  });
  await sink.start();
  return { sink, logs, deadLetters, stateDir };
}

function append(sink: HttpSink, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const line = Buffer.from(JSON.stringify({ n }));
    const origin = { source: 's', segment: 1, path: '/log', offset: n, unparsed: undefined };
    sink.append('audit.t', 0, line, 0, line.length, origin);
  }
  sink.ledger.handed(1, count);
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); ) {
    assert.ok(Date.now() < end, `waited in vain: ${condition}`);
    await delay(5);
  }
}

test('a secret whose file is not there yet: an alarm, events go to disk, and all is sent once it is', async (t) => {
  const server = await startServer(t, ({ headers }, response) => {
    response.writeHead(headers.authorization === 'Bearer let-me-in' ? 200 : 401).end();
  });
  const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-secret-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'token');
  const { sink, logs } = await startSink(t, {
    url: secret(`${server.origin}/in`),
    auth: { kind: 'bearer', token: new FileSecret(file) },
  });
  append(sink, 25);
  await until(() => sink.ledger.takenTo(1) === 25);
  assert.equal(server.received.length, 0);
  const alarm = logs.find((line) => line.event === 'sink_blocked');
  assert.match(String(alarm?.reason), /auth\.bearer cannot be read: .*token/);
  writeFileSync(file, 'let-me-in\n');
  await until(() => sink.isIdle);
  const got = server.received.flatMap(({ body }) => linesOf(body)).toSorted();
  assert.deepEqual(got, Array.from({ length: 25 }, (_, n) => JSON.stringify({ n })).toSorted());
  assert.ok(!JSON.stringify(logs).includes('let-me-in'));
});

test('dead letters that find no room stand in the way of nothing but their own, and go when there is room', async (t) => {
  const server = await startServer(t, ({ body }, response) => {
    response.writeHead(/:[36]}/.test(body.toString()) ? 422 : 200).end();
  });
  const { sink, logs, deadLetters } = await startSink(t, {
    url: secret(server.origin),
    deadletter: { maxBytes: 1, overflow: 'block' },
    batch: { events: 2, bytes: 1 << 20, ageMs: 10 },
  });
  const kept = () => deadLetters.total('receiver').events;
  append(sink, 20);
  await until(() => server.received.some(({ body }) => body.toString().includes('{"n":19}')));
  await until(() => logs.some((line) => line.event === 'dead_letters_stuck'));
  // On its way it is in the spool, so the checkpoint is not held up.
  await until(() => sink.ledger.takenTo(1) === 20);
  assert.equal(sink.isIdle, false);
  assert.equal(kept(), 1);
  deadLetters.removeAll('receiver');
  await until(() => sink.isIdle);
  assert.equal(kept(), 1);
});
