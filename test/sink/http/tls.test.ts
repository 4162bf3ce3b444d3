import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import type https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { HttpSinkConfig } from '../../../src/config/types.ts';
import type { TransportError } from '../../../src/sink/http/transport.ts';
import { type KeyPair, selfSigned, TestCa } from '../../helpers/test-ca.ts';
import {
  event,
  failureOf,
  listen,
  NEVER,
  startServer,
  type TestServer,
  tlsConfig,
  transportTo,
} from './http-harness.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-tls-'));
after(() => fs.rmSync(dir, { recursive: true }));

const ca = new TestCa();
const otherCa = new TestCa('another CA');
const pair = ca.issue();
const client = ca.issue({ names: ['auditail-node-1'] });
const strangeClient = otherCa.issue({ names: ['stranger'] });

let files = 0;
function file(text: string): string {
  files += 1;
  const name = path.join(dir, `${files}.pem`);
  fs.writeFileSync(name, text);
  return name;
}

const caFile = file(ca.cert);

function secureServer(t: TestContext, options: https.ServerOptions): Promise<TestServer> {
  return startServer(t, (_request, response) => void response.end('stored'), options);
}

function clientFiles({ cert, key }: KeyPair): Partial<HttpSinkConfig['tls']> {
  return { certFile: file(cert), keyFile: file(key) };
}

async function refusal(
  t: TestContext,
  options: https.ServerOptions,
  tls: Partial<HttpSinkConfig['tls']> = {},
): Promise<TransportError> {
  const server = await secureServer(t, options);
  const failure = await failureOf(
    transportTo(t, `${server.origin}/in?token=t`, { tls: tlsConfig({ caFile, ...tls }) }),
  );
  assert.ok(failure.message.startsWith(`${server.origin}: `), failure.message);
  assert.equal(server.received.length, 0);
  return failure;
}

test('a certificate of the CA in ca_file is trusted', async (t) => {
  const server = await secureServer(t, pair);
  const transport = transportTo(t, server.origin, { tls: tlsConfig({ caFile }), concurrency: 1 });
  for (let i = 0; i < 2; i++) assert.equal((await transport.send(event(i).line, NEVER)).body.toString(), 'stored');
  assert.equal(server.connections, 1);
});

test('one of several certificates in ca_file is enough', async (t) => {
  const server = await secureServer(t, pair);
  const both = file(`Internal authorities\n${otherCa.cert}\n# ours\n${ca.cert}`);
  const response = await transportTo(t, server.origin, { tls: tlsConfig({ caFile: both }) }).send(event(1).line, NEVER);
  assert.equal(response.status, 200);
});

test('a wrong CA is refused', async (t) => {
  const failure = await refusal(t, pair, { caFile: file(otherCa.cert) });
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /issued by an authority that is not in tls\.ca_file: auditail test CA/);
});

test('without ca_file the system decides', async (t) => {
  const failure = await refusal(t, pair, { caFile: undefined });
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /issued by an authority that is not in the system's list of authorities/);
});

test('a self-signed certificate is refused', async (t) => {
  const failure = await refusal(t, selfSigned());
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /self-signed and not in tls\.ca_file/);
});

test('an expired certificate is refused, and told since when', async (t) => {
  const failure = await refusal(
    t,
    ca.issue({ notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2021-02-03T04:05:06Z') }),
  );
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /its certificate expired at 2021-02-03T04:05:06\.000Z/);
});

test('a certificate that is not valid yet is refused', async (t) => {
  const notBefore = new Date('2049-01-01T00:00:00Z');
  const failure = await refusal(t, ca.issue({ notBefore, notAfter: new Date('2049-06-01T00:00:00Z') }));
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /not valid before 2049-01-01T00:00:00\.000Z/);
});

test('a certificate for another host is refused with its names, and server_name mends that', async (t) => {
  const wrong = ca.issue({ names: ['es.example', 'es-2.example'] });
  const failure = await refusal(t, wrong);
  assert.equal(failure.kind, 'untrusted');
  assert.match(
    failure.message,
    /not for 127\.0\.0\.1 but for DNS:es\.example, DNS:es-2\.example; see tls\.server_name/,
  );
  const names: unknown[] = [];
  const server = await secureServer(t, {
    ...wrong,
    SNICallback: (name, done) => {
      names.push(name);
      done(null);
    },
  });
  const tls = tlsConfig({ caFile, serverName: 'es-2.example' });
  assert.equal((await transportTo(t, server.origin, { tls }).send(event(1).line, NEVER)).status, 200);
  assert.deepEqual(names, ['es-2.example']);
  const notThat = await failureOf(
    transportTo(t, server.origin, { tls: tlsConfig({ caFile, serverName: 'x.example' }) }),
  );
  assert.match(notThat.message, /not for x\.example but for/);
});

test('a server with TLS 1.1 only is refused', async (t) => {
  const failure = await refusal(t, {
    ...pair,
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /it does not offer TLS 1\.2 or later/);
});

test('min_version 1.3 is not met by a server with 1.2', async (t) => {
  const failure = await refusal(t, { ...pair, maxVersion: 'TLSv1.2' }, { minVersion: '1.3' });
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /it does not offer TLS 1\.3 or later/);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const mutual = { ...pair, ca: ca.cert, requestCert: true, minVersion: version, maxVersion: version };

  test(`a client certificate is shown over ${version}`, async (t) => {
    const subjects: unknown[] = [];
    const server = await secureServer(t, mutual);
    server.server.on('secureConnection', (socket) => subjects.push(socket.getPeerCertificate().subject.CN));
    const transport = transportTo(t, server.origin, { tls: tlsConfig({ caFile, ...clientFiles(client) }) });
    assert.equal((await transport.send(event(1).line, NEVER)).status, 200);
    assert.deepEqual(subjects, ['auditail-node-1']);
  });

  test(`a missing client certificate is named over ${version}`, async (t) => {
    const failure = await refusal(t, mutual);
    assert.equal(failure.kind, 'untrusted');
    assert.match(failure.message, /wants? a client certificate \(tls\.cert_file, tls\.key_file\)/);
  });

  test(`a client certificate of a stranger stores nothing over ${version}`, async (t) => {
    // Node's server hangs up without an alert, so there is no telling why.
    await refusal(t, mutual, clientFiles(strangeClient));
  });
}

test('a server without TLS is told from one with a bad certificate', async (t) => {
  const server = await startServer(t, (_request, response) => void response.end());
  const transport = transportTo(t, server.origin.replace('http:', 'https:'), { tls: tlsConfig({ caFile }) });
  const failure = await failureOf(transport);
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /does not speak TLS/);
});

test('a connection that closes during the handshake is unreachable', async (t) => {
  const port = await listen(
    t,
    net.createServer((socket) => void socket.once('data', () => socket.destroy())),
  );
  const failure = await failureOf(transportTo(t, `https://127.0.0.1:${port}`, { tls: tlsConfig({ caFile }) }));
  assert.equal(failure.kind, 'unreachable');
  assert.match(failure.message, /closed during the TLS handshake/);
});

test('a handshake that hangs ends by the timeout, and does not stand in the way of the next', async (t) => {
  let hangs = true;
  const back = await secureServer(t, pair);
  const front = net.createServer((socket) => {
    socket.on('error', () => {});
    if (hangs) return;
    const behind = net.connect(back.port, '127.0.0.1');
    behind.on('error', () => {});
    socket.pipe(behind).pipe(socket);
  });
  const port = await listen(t, front);
  const transport = transportTo(t, `https://127.0.0.1:${port}`, {
    tls: tlsConfig({ caFile }),
    timeoutMs: 1000,
    concurrency: 1,
  });
  const failure = await failureOf(transport);
  assert.equal(failure.kind, 'unreachable');
  assert.match(failure.message, /within 1000 ms/);
  hangs = false;
  assert.equal((await transport.send(event(2).line, NEVER)).status, 200);
});

test('a file that is missing at the start is named, and used as soon as it is there', async (t) => {
  const server = await secureServer(t, pair);
  const late = path.join(dir, 'late-ca.pem');
  const transport = transportTo(t, server.origin, { tls: tlsConfig({ caFile: late }) });
  const failure = await failureOf(transport);
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /^tls\.ca_file .*late-ca\.pem cannot be used: ENOENT/);
  fs.writeFileSync(late, ca.cert);
  assert.equal((await transport.send(event(1).line, NEVER)).status, 200);
});

test('a CA that is exchanged on disk is used without a restart, and requests in flight end', async (t) => {
  let now = 0;
  const held: (() => void)[] = [];
  const arrived = Promise.withResolvers<void>();
  const hold = await startServer(
    t,
    ({ body }, response) => {
      if (body.toString() !== 'hold') return void response.end('stored');
      held.push(() => void response.end('late'));
      arrived.resolve();
    },
    pair,
  );
  const trusted = file(ca.cert);
  const transport = transportTo(t, hold.origin, { tls: tlsConfig({ caFile: trusted }) }, { now: () => now });
  const inFlight = transport.send(Buffer.from('hold'), NEVER);
  await arrived.promise;
  fs.writeFileSync(trusted, otherCa.cert);
  assert.equal((await transport.send(event(1).line, NEVER)).status, 200, 'not looked at again within a second');
  now += 1000;
  assert.equal((await failureOf(transport)).kind, 'untrusted', 'the old CA is trusted no more');
  hold.server.closeIdleConnections();
  (hold.server as https.Server).setSecureContext(otherCa.issue());
  assert.equal((await transport.send(event(2).line, NEVER)).body.toString(), 'stored');
  held[0]!();
  assert.equal((await inFlight).body.toString(), 'late');
});

test('a client certificate that is exchanged on disk is shown on the next request', async (t) => {
  let now = 0;
  const subjects: unknown[] = [];
  const server = await secureServer(t, { ...pair, ca: ca.cert, requestCert: true });
  server.server.on('secureConnection', (socket) => subjects.push(socket.getPeerCertificate().subject.CN));
  const tls = tlsConfig({ caFile, ...clientFiles(client) });
  const transport = transportTo(t, server.origin, { tls, concurrency: 1 }, { now: () => now });
  await transport.send(event(1).line, NEVER);
  const next = ca.issue({ names: ['auditail-node-1-renewed'] });
  fs.writeFileSync(tls.certFile!, next.cert);
  now += 1000;
  await transport.send(event(2).line, NEVER);
  fs.writeFileSync(tls.keyFile!, next.key);
  now += 1000;
  await transport.send(event(3).line, NEVER);
  assert.deepEqual(subjects, ['auditail-node-1', 'auditail-node-1-renewed']);
});

for (const variable of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']) {
  test(`without ca_file, ${variable} adds an authority`, async (t) => {
    const server = await secureServer(t, pair);
    const script = `
      const { sinkConfig } = await import('${import.meta.dirname}/http-harness.ts');
      const { HttpTransport } = await import('${import.meta.dirname}/../../../src/sink/http/http-transport.ts');
      const endpoint = new URL('${server.origin}');
      const transport = new HttpTransport(sinkConfig(), { endpoint, contentType: 'text/plain', now: Date.now });
      const { body } = await transport.send(Buffer.from('x'), new AbortController().signal);
      await transport.close();
      process.stdout.write(body);`;
    // Not execFileSync: the server that it talks to is in this process.
    const env = { ...process.env, [variable]: caFile };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    assert.equal(stdout, 'stored');
  });
}
