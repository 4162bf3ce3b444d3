import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import type { HttpSinkConfig } from '../../../src/config/types.ts';
import { Delivery } from '../../../src/sink/http/delivery.ts';
import type { HttpTransport } from '../../../src/sink/http/http-transport.ts';
import { probe } from '../../../src/sink/http/probe.ts';
import { selfSigned } from '../../helpers/test-ca.ts';
import {
  event,
  FakeBox,
  failureOf,
  lineFormat,
  listen,
  NEVER,
  recorder,
  secret,
  sinkConfig,
  startServer,
  tlsConfig,
  transportTo,
} from './http-harness.ts';

/** Part of everything that must not be shown, and of its base64 forms, whatever they are padded with. */
const MARK = 'hunter2';
const HIDDEN = new RegExp(`${MARK}|aHVudGVyM|h1bnRlcj|odW50ZXIy`);

const SECRETS = {
  headers: { 'X-Key': secret(`key-${MARK}`) },
  auth: { kind: 'basic', username: 'elastic', password: secret(`password-${MARK}`) },
} as const satisfies Partial<HttpSinkConfig>;

const PATH = `/path-${MARK}?query=${MARK}`;

/** Ways to fail: a transport, for each of which a request is a TransportError. */
const FAILURES: Record<string, (t: TestContext) => Promise<HttpTransport>> = {
  'refused connection': async (t) => transportTo(t, `http://127.0.0.1:1${PATH}`, SECRETS),
  'unknown host': async (t) => transportTo(t, `http://no-such-host.invalid${PATH}`, SECRETS),
  'reset connection': async (t) => transportTo(t, await raw(t, (socket) => socket.resetAndDestroy()), SECRETS),
  // The receiver repeats what it was sent, which is in the error of the parser then.
  garbage: async (t) => transportTo(t, await raw(t, (socket, data) => void socket.end(data)), SECRETS),
  timeout: async (t) => transportTo(t, await raw(t, () => {}), { ...SECRETS, timeoutMs: 100 }),
  'wrong certificate': async (t) => {
    const server = await startServer(t, () => {}, selfSigned());
    return transportTo(t, server.origin + PATH, SECRETS);
  },
  'header that cannot be sent': async (t) =>
    transportTo(t, `http://127.0.0.1:1${PATH}`, { ...SECRETS, headers: { 'X-Key': secret(`${MARK}\n`) } }),
  'header of the connection': async (t) =>
    transportTo(t, `http://127.0.0.1:1${PATH}`, { ...SECRETS, headers: { 'Transfer-Encoding': secret(MARK) } }),
  'header name that is none': async (t) =>
    transportTo(t, `http://127.0.0.1:1${PATH}`, { ...SECRETS, headers: { 'X Key': secret(MARK) } }),
  'proxy that is not there': async (t) => proxied(t, 'http://127.0.0.1:1'),
  'proxy that refuses': async (t) => {
    const server = await startServer(t, (_request, response) => void response.writeHead(407).end());
    return proxied(t, server.origin);
  },
  'proxy that is no URL': async (t) => transportTo(t, `http://es.example${PATH}`, { ...SECRETS, proxy: secret(MARK) }),
  'key file with a passphrase': async (t) => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-secrets-'));
    t.after(() => fs.rmSync(dir, { recursive: true }));
    const { cert } = selfSigned();
    fs.writeFileSync(path.join(dir, 'cert'), cert);
    fs.writeFileSync(
      path.join(dir, 'key'),
      `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${MARK}\n-----END ENCRYPTED PRIVATE KEY-----`,
    );
    const tls = tlsConfig({ certFile: path.join(dir, 'cert'), keyFile: path.join(dir, 'key') });
    return transportTo(t, `https://127.0.0.1:1${PATH}`, { ...SECRETS, tls });
  },
};

function proxied(t: TestContext, origin: string): HttpTransport {
  const proxy = secret(origin.replace('//', `//user:${MARK}@`));
  return transportTo(t, `http://es.example${PATH}`, { ...SECRETS, proxy });
}

async function raw(t: TestContext, onData: (socket: net.Socket, data: Buffer) => void): Promise<string> {
  const server = net.createServer((socket) => void socket.on('data', (data) => onData(socket, Buffer.from(data))));
  return `http://127.0.0.1:${await listen(t, server)}${PATH}`;
}

for (const [what, open] of Object.entries(FAILURES)) {
  test(`no secret is in the error, the log, the metrics or the probe of a ${what}`, async (t) => {
    const transport = await open(t);
    const failure = await failureOf(transport);
    assert.doesNotMatch(inspect(failure, { depth: Number.POSITIVE_INFINITY, showHidden: true }), HIDDEN);
    assert.doesNotMatch(JSON.stringify(await probe(transport, NEVER)), HIDDEN);

    const { occurrences, logs } = recorder();
    const stop = new AbortController();
    const delivery = new Delivery({
      sink: sinkConfig(SECRETS),
      format: lineFormat,
      transport,
      deadLetters: new FakeBox(),
      occurrences,
      now: () => 0,
      random: () => 0,
      sleep: async () => stop.abort(),
    });
    await assert.rejects(delivery.deliver({ pending: [event(1)] }, stop.signal), { name: 'AbortError' });
    assert.equal(logs.length, 1);
    assert.doesNotMatch(JSON.stringify(logs), HIDDEN);
  });
}

test('what is looked for would be found', () => {
  const { headers } = new Request('http://es.example', {
    headers: { authorization: `Basic ${Buffer.from(`elastic:password-${MARK}`).toString('base64')}` },
  });
  assert.match(headers.get('authorization')!, HIDDEN);
  assert.match(Buffer.from(`user:${MARK}`).toString('base64'), HIDDEN);
  assert.match(Buffer.from(`x${MARK}`).toString('base64'), HIDDEN);
});
