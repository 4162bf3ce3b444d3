import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { MAX_RESPONSE_BYTES } from '../../../src/sink/http/http-transport.ts';
import { TransportError } from '../../../src/sink/http/transport.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';
import { mutated } from '../../helpers/mutations.ts';
import { newFormat } from './formats/new-format.ts';
import { httpEvent } from './http-events.ts';
import { listen, NEVER, transportTo } from './http-harness.ts';

const EVENTS = ['{"a":1}', '{"a":2}', '{"a":3}'].map((line) => httpEvent(line));
const ELASTICSEARCH = newFormat({ format: 'elasticsearch', index: 'audit' });
const IDS = [
  ...ELASTICSEARCH.encode(EVENTS)
    .toString()
    .matchAll(/"_id":"([^"]+)"/g),
].map((match) => match[1]!);

const item = (index: number, status: number, error?: object) => ({
  create: { _index: 'audit', _id: IDS[index], status, ...(error === undefined ? {} : { error }) },
});
const BODIES = {
  elasticsearch: [
    JSON.stringify({ took: 1, errors: false, items: [item(0, 201), item(1, 201), item(2, 409)] }),
    JSON.stringify({
      errors: true,
      items: [
        item(0, 201),
        item(1, 429, { type: 'es_rejected_execution_exception', reason: 'full' }),
        item(2, 400, { type: 'document_parsing_exception', reason: 'no', caused_by: { reason: 'why' } }),
      ],
    }),
  ],
  splunk_hec: ['{"text":"Success","code":0}', '{"text":"Invalid data format","code":6,"invalid-event-number":1}'],
  otlp: ['{}', '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"no"}}', '{"partialSuccess":{}}'],
  loki: ['', 'entry with timestamp 1 ignored, reason: too old, total ignored: 1 out of 2'],
  ndjson: ['ok', ''],
  json_array: ['ok'],
  event_list: ['{"kind":"Status"}'],
} as const;

const STATUSES = [200, 200, 200, 201, 204, 206, 301, 400, 401, 413, 422, 429, 499, 500, 503, 999];
const KINDS = ['delivered', 'retry', 'blocked', 'split', 'rejected'];
const TOKENS = [
  '"status":200',
  '"items":[',
  '{"create":',
  '"code":0',
  'null',
  '1e999',
  '"_id":"x"',
  '"__proto__":{"status":201},',
];

/** What the bodies of a bulk answer say of each event in the plainest way: those that the receiver has for certain. */
function keptByBulk(body: Buffer): boolean[] {
  let value: { items?: unknown } | undefined;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return [];
  }
  const items = Array.isArray(value?.items) ? value.items : [];
  return items.map((one, index) => {
    const [result] = Object.values((one ?? {}) as Record<string, { _id?: unknown; status?: unknown }>);
    const status = Number(result?.status);
    return (
      ((status >= 200 && status < 300) || status === 409) && [undefined, IDS[index]].includes(result?._id as string)
    );
  });
}

for (const [format, bodies] of Object.entries(BODIES)) {
  test(`${format}: whatever a receiver answers, each event has one verdict, and none counts as delivered that it did not confirm`, () => {
    const judge = newFormat({ format: format as keyof typeof BODIES, index: 'audit' });
    const seen = new Set<string>();
    const property = fc.property(
      mutated(bodies, { tokens: TOKENS, most: 4 }),
      fc.constantFrom(...STATUSES),
      fc.constantFrom('complete', 'complete', 'broken', 'long'),
      fc.dictionary(fc.constantFrom('retry-after', 'location', 'content-type'), fc.string({ unit: 'binary' })),
      (body, status, end, headers) => {
        const complete = end === 'complete';
        const response = { status, headers, body, complete, isTooLong: end === 'long' };
        const verdicts = judge.judge(response, EVENTS);
        assert.equal(verdicts.length, EVENTS.length);
        for (const [index, verdict] of verdicts.entries()) {
          assert.ok(KINDS.includes(verdict.kind));
          seen.add(verdict.kind);
          if (verdict.kind === 'delivered') {
            assert.ok(status >= 200 && status < 300 && end !== 'broken', `${status} ${end}`);
            if (format === 'elasticsearch') assert.equal(keptByBulk(body)[index], true, body.toString());
            continue;
          }
          assert.ok(verdict.reason.length < 1000);
          assert.doesNotMatch(verdict.reason, /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
          if (verdict.kind === 'retry')
            assert.ok((verdict.retryAfterMs ?? 0) >= 0 && (verdict.retryAfterMs ?? 0) <= 600_000);
        }
      },
    );
    fc.assert(property, fuzz(2000));
    assert.ok(seen.has('delivered') && seen.size >= 4, [...seen].join());
  });
}

/** Sends the bytes that it is given as its answer to each request, some at a time, and ends. */
async function startRaw(t: TestContext) {
  const raw: { answer: Buffer; pieces: number; url: string } = { answer: Buffer.alloc(0), pieces: 1, url: '' };
  const server = net.createServer((socket) => {
    socket.once('data', async () => {
      const { answer } = raw;
      const size = Math.max(1, Math.ceil(answer.length / raw.pieces));
      for (let at = 0; at < answer.length && !socket.destroyed; at += size) {
        socket.write(answer.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
    });
    // What is sent behind the first request is not read.
    socket.on('data', () => undefined);
  });
  raw.url = `http://127.0.0.1:${await listen(t, server)}/in`;
  return raw;
}

const ok = (headers: string, body: string | Buffer) =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${headers}\r\n`), Buffer.from(body)]);
const ANSWERS = [
  ok('Content-Length: 27\r\nContent-Type: application/json\r\n', '{"text":"Success","code":0}'),
  ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n'),
  ok('Content-Encoding: gzip\r\nContent-Length: 60\r\n', gzipSync('{"text":"Success","code":0}')),
  ok('Connection: close\r\n', 'until the end'),
  Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), ok('Content-Length: 2\r\n', 'ok')]),
  Buffer.from('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n'),
  Buffer.from('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
  Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'),
];
const HTTP_TOKENS = [
  'HTTP/1.1 204 No Content\r\n',
  'Content-Length: 99999999999\r\n',
  'Transfer-Encoding: chunked\r\n',
  'ffffffff\r\n',
  '\r\n\r\n',
  '\0',
  'Set-Cookie: a=b\r\n',
  'Content-Encoding: gzip\r\n',
];

test('whatever bytes come back, a request ends with an answer or with the error of a transport', async (t) => {
  const raw = await startRaw(t);
  const transport = transportTo(t, raw.url, { timeoutMs: 2000 });
  const seen = { answered: 0, failed: 0 };
  const property = fc.asyncProperty(
    mutated(ANSWERS, { tokens: HTTP_TOKENS, most: 4 }),
    fc.integer({ min: 1, max: 6 }),
    async (bytes, pieces) => {
      raw.answer = bytes;
      raw.pieces = pieces;
      try {
        const response = await transport.send(Buffer.from('{}'), NEVER);
        assert.ok(Number.isInteger(response.status) && response.body.length <= MAX_RESPONSE_BYTES);
        seen.answered += 1;
      } catch (error) {
        assert.ok(error instanceof TransportError, String((error as Error).stack));
        assert.doesNotMatch(error.message, /[\x00-\x1f]/);
        seen.failed += 1;
      }
    },
  );
  await fc.assert(property, fuzz(400));
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.answered > 20 && seen.failed > 20, JSON.stringify(seen));
});

const HARNESS = path.resolve(import.meta.dirname, 'http-harness.ts');
const TRANSPORT = path.resolve(import.meta.dirname, '../../../src/sink/http/http-transport.ts');

/** Sends one request in a process of 96 MB; what it prints is the status and the bytes of the answer, or the error's class. */
async function askInLittleMemory(url: string): Promise<string> {
  const program = `
    import { HttpTransport } from ${JSON.stringify(TRANSPORT)};
    import { NEVER, secret, sinkConfig } from ${JSON.stringify(HARNESS)};
    const config = sinkConfig({ url: secret(${JSON.stringify(url)}), timeoutMs: 60_000 });
    const options = { endpoint: new URL(${JSON.stringify(url)}), contentType: 'text/plain', now: Date.now };
    const sent = new HttpTransport(config, options).send(Buffer.from('{}'), NEVER);
    process.stdout.write(await sent.then(({ status, body }) => status + ' ' + body.length, (error) => error.constructor.name));
    process.exit();`;
  const child = spawn(process.execPath, ['--max-old-space-size=96', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  for await (const text of child.stdout.setEncoding('utf8')) printed += text;
  return printed;
}

test('headers and chunks without end are cut off, in bounded memory', async (t) => {
  const raw = await startRaw(t);
  raw.pieces = 50;
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  for (const [text, outcome] of [
    [`HTTP/1.1 200 OK\r\n${`X-${'x'.repeat(1000)}: y\r\n`.repeat(20_000)}\r\n`, 'TransportError'],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000_000)}`, 'TransportError'],
    // Pieces of one byte, each of which would be an object of more than a hundred.
    [`${chunked}${'1\r\nx\r\n'.repeat(2_000_000)}0\r\n\r\n`, '200 2000000'],
    [`${chunked}1;${'x'.repeat(20_000_000)}`, '200 0'],
    ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(500_000), 'TransportError'],
  ] as const) {
    raw.answer = Buffer.from(text);
    assert.equal(await askInLittleMemory(raw.url), outcome, text.slice(0, 60));
  }
});
