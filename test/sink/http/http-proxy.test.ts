import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { parseProxy } from '../../../src/sink/http/http-proxy.ts';
import { TransportError } from '../../../src/sink/http/transport.ts';
import { type KeyPair, TestCa } from '../../helpers/test-ca.ts';
import { event, failureOf, listen, NEVER, secret, startServer, tlsConfig, transportTo } from './http-harness.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-proxy-'));
after(() => fs.rmSync(dir, { recursive: true }));

const ca = new TestCa();
const pair = ca.issue();
const caFile = path.join(dir, 'ca.pem');
fs.writeFileSync(caFile, ca.cert);

interface Proxy {
  readonly host: string;
  /** Request lines with the credentials of each. */
  readonly asked: { line: string; credentials: string | undefined; host: string | undefined }[];
  /** Answered instead of passing a request on. */
  refuse: number | undefined;
}

/** Both kinds of a proxy: it opens tunnels, and it passes plain requests on. */
async function startProxy(t: TestContext, tls?: KeyPair): Promise<Proxy> {
  const server = tls === undefined ? http.createServer() : https.createServer(tls);
  const note = ({ method, url, headers }: http.IncomingMessage) =>
    proxy.asked.push({
      line: `${method} ${url}`,
      credentials: headers['proxy-authorization'],
      host: headers.host,
    });
  server.on('connect', (request, socket, head) => {
    note(request);
    socket.on('error', () => {});
    if (proxy.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${proxy.refuse} No\r\ncontent-length: 2\r\n\r\nno`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = net.connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => void socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  server.on('request', (request, response) => {
    note(request);
    if (proxy.refuse !== undefined) {
      request.resume();
      response.writeHead(proxy.refuse).end('no');
      return;
    }
    const { 'proxy-authorization': _credentials, ...headers } = request.headers;
    const onward = http.request(request.url!, { method: request.method!, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => void response.writeHead(502).end());
    request.pipe(onward);
  });
  const port = await listen(t, server);
  const proxy: Proxy = { host: `127.0.0.1:${port}`, asked: [], refuse: undefined };
  return proxy;
}

const CREDENTIALS = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;

test('a plain request goes through the proxy as a whole URL', async (t) => {
  const server = await startServer(t, (_request, response) => void response.end('stored'));
  const proxy = await startProxy(t);
  const transport = transportTo(t, `${server.origin}/in?a=b`, { proxy: secret(`http://user:p%40ss@${proxy.host}`) });
  for (let i = 0; i < 2; i++) assert.equal((await transport.send(event(i).line, NEVER)).body.toString(), 'stored');
  const asked = { line: `POST ${server.origin}/in?a=b`, credentials: CREDENTIALS, host: new URL(server.origin).host };
  assert.deepEqual(proxy.asked, [asked, asked]);
  assert.equal(server.received[0]!.url, '/in?a=b');
  assert.equal(server.received[0]!.body.toString(), '{"n":0}');
});

for (const [scheme, proxyPair] of [['http', undefined] as const, ['https', pair] as const]) {
  test(`an https request goes through a tunnel of an ${scheme} proxy, which is kept`, async (t) => {
    const server = await startServer(t, (_request, response) => void response.end('stored'), pair);
    const proxy = await startProxy(t, proxyPair);
    const transport = transportTo(t, `${server.origin}/in?a=b`, {
      proxy: secret(`${scheme}://user:p%40ss@${proxy.host}`),
      tls: tlsConfig({ caFile }),
      concurrency: 1,
    });
    for (let i = 0; i < 3; i++) assert.equal((await transport.send(event(i).line, NEVER)).body.toString(), 'stored');
    const { host } = new URL(server.origin);
    assert.deepEqual(proxy.asked, [{ line: `CONNECT ${host}`, credentials: CREDENTIALS, host }]);
    assert.equal(server.received[0]!.headers['proxy-authorization'], undefined);
  });
}

test('a receiver is judged by its own certificate, also through a tunnel', async (t) => {
  const server = await startServer(t, (_request, response) => void response.end(), ca.issue({ names: ['es.example'] }));
  const proxy = await startProxy(t);
  const transport = transportTo(t, server.origin, {
    proxy: secret(`http://${proxy.host}`),
    tls: tlsConfig({ caFile }),
  });
  const failure = await failureOf(transport);
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /not for 127\.0\.0\.1 but for DNS:es\.example/);
});

test('a proxy with a certificate of an unknown CA is untrusted', async (t) => {
  const proxy = await startProxy(t, new TestCa('of the proxy').issue());
  const failure = await failureOf(
    transportTo(t, 'http://es.example/', { proxy: secret(`https://${proxy.host}`), tls: tlsConfig({ caFile }) }),
  );
  assert.equal(failure.kind, 'untrusted');
  assert.match(failure.message, /^proxy https:\/\/127\.0\.0\.1:\d+: its certificate was issued by an authority/);
});

for (const [url, what] of [
  ['http://es.example/', 'a plain request'],
  ['https://es.example/', 'a tunnel'],
] as const) {
  test(`a proxy that wants other credentials for ${what} is untrusted: nobody's dead letter`, async (t) => {
    const proxy = await startProxy(t);
    proxy.refuse = 407;
    const failure = await failureOf(transportTo(t, url, { proxy: secret(`http://user:wrong@${proxy.host}`) }));
    assert.equal(failure.kind, 'untrusted');
    assert.equal(failure.message, `proxy http://${proxy.host}: it wants other credentials (407)`);
  });
}

test('a tunnel that the proxy forbids is untrusted, and one that it cannot open unreachable', async (t) => {
  const proxy = await startProxy(t);
  const transport = transportTo(t, 'https://127.0.0.1:1/', { proxy: secret(`http://${proxy.host}`) });
  proxy.refuse = 403;
  assert.equal((await failureOf(transport)).kind, 'untrusted');
  proxy.refuse = 503;
  assert.equal((await failureOf(transport)).kind, 'unreachable');
  proxy.refuse = undefined;
  const failure = await failureOf(transport);
  assert.equal(failure.kind, 'unreachable');
  assert.equal(failure.message, `proxy http://${proxy.host}: it cannot connect to the receiver (502)`);
});

test('a proxy that is not there, hangs up or hangs is unreachable', async (t) => {
  const gone = net.createServer();
  const port = await listen(t, gone);
  await new Promise((resolve) => gone.close(resolve));
  const toGone = await failureOf(transportTo(t, 'https://es.example/', { proxy: secret(`http://127.0.0.1:${port}`) }));
  assert.equal(toGone.message, `proxy http://127.0.0.1:${port}: connection refused (ECONNREFUSED)`);
  assert.equal(toGone.kind, 'unreachable');

  let hangs = false;
  const silent = net.createServer((socket) => void socket.on('data', () => hangs || socket.destroy()));
  const host = `127.0.0.1:${await listen(t, silent)}`;
  const transport = transportTo(t, 'https://es.example/', { proxy: secret(`http://${host}`), timeoutMs: 300 });
  assert.equal((await failureOf(transport)).kind, 'unreachable');
  hangs = true;
  const failure = await failureOf(transport);
  assert.equal(failure.kind, 'unreachable');
  assert.match(failure.message, /within 300 ms$/);
});

test('another proxy in the secret is used from the next request on', async (t) => {
  const server = await startServer(t, (_request, response) => void response.end());
  const [one, other] = [await startProxy(t), await startProxy(t)];
  let text = `http://${one.host}`;
  const transport = transportTo(t, server.origin, { proxy: { reveal: () => text } });
  await transport.send(event(1).line, NEVER);
  text = `http://${other.host}`;
  await transport.send(event(2).line, NEVER);
  assert.deepEqual([one.asked.length, other.asked.length], [1, 1]);
});

test('what is no URL of a proxy is refused without showing it', () => {
  for (const text of [
    '',
    'proxy:3128',
    'socks5://user:hunter2@proxy',
    'http://user:hunter2%@proxy',
    'http://hunter2 x',
  ]) {
    assert.throws(
      () => parseProxy(text),
      (error) => error instanceof TransportError && error.kind === 'untrusted' && !error.message.includes('hunter2'),
    );
  }
});
