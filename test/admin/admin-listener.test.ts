import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { AdminListener } from '../../src/admin/admin-listener.ts';
import type { AdminView } from '../../src/admin/admin-view.ts';
import { parseListenAddress } from '../../src/config/listen-address.ts';
import { ask, askRaw } from './ask.ts';
import { fakeView } from './fake-view.ts';

interface Started {
  readonly listener: AdminListener;
  readonly lines: Record<string, unknown>[];
}

async function start(
  t: TestContext,
  {
    at = '127.0.0.1:0',
    view,
    ...options
  }: { at?: string; view?: Partial<AdminView>; retryMs?: number; timeoutMs?: number } = {},
): Promise<Started> {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { base: null, messageKey: 'message' },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const listener = new AdminListener(() => log, options);
  t.after(() => listener.close());
  listener.show(fakeView(view));
  await listener.listen(parseListenAddress(at));
  return { listener, lines };
}

function directory(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'admin-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test('each path answers, with its type, and closes the connection', async (t) => {
  const { listener } = await start(t);
  const types: Record<string, RegExp> = {
    '/metrics': /^text\/plain; version=0\.0\.4/,
    '/status': /^application\/json$/,
    '/healthz': /^text\/plain/,
    '/readyz': /^text\/plain/,
    '/': /^text\/plain/,
    '/metrics?name=a': /^text\/plain; version=0\.0\.4/,
  };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers, body } = await ask(listener.address!, path);
    assert.equal(status, 200, path);
    assert.match(headers['content-type']!, type);
    assert.equal(headers.connection, 'close');
    assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
  }
  assert.equal(JSON.parse((await ask(listener.address!, '/status')).body).version, 1);
});

test('HEAD has the head of GET and no body; other methods are refused; other paths are not there', async (t) => {
  const { listener } = await start(t);
  const get = await ask(listener.address!, '/metrics');
  const head = await ask(listener.address!, '/metrics', 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
    const { status, headers } = await ask(listener.address!, '/status', method);
    assert.equal(status, 405, method);
    assert.equal(headers.allow, 'GET, HEAD');
  }
  for (const path of ['/metrics/', '/../etc/passwd', '/favicon.ico', '//status']) {
    assert.equal((await ask(listener.address!, path)).status, 404, path);
  }
});

test('probes say why: dead, unready, starting', async (t) => {
  const { listener } = await start(t, {
    view: { dead: () => 'the loop has not turned for 130 s', unready: async () => ['a reason', 'another'] },
  });
  const health = await ask(listener.address!, '/healthz');
  assert.deepEqual([health.status, health.body], [503, 'the loop has not turned for 130 s\n']);
  const ready = await ask(listener.address!, '/readyz');
  assert.deepEqual([ready.status, ready.body], [503, 'a reason\nanother\n']);
  listener.show(undefined);
  const answers = await Promise.all(
    ['/healthz', '/readyz', '/metrics', '/status'].map((p) => ask(listener.address!, p)),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 503, 503, 503],
  );
});

test('a look that fails is told without its details', async (t) => {
  const { listener } = await start(t, {
    view: {
      status: async () => {
        throw new Error('https://user:secret@es.example');
      },
    },
  });
  const { status, body } = await ask(listener.address!, '/status');
  assert.equal(status, 500);
  assert.doesNotMatch(body, /secret/);
});

test('what is no request, or too much of one, is refused and harms nobody', async (t) => {
  const { listener } = await start(t);
  const at = listener.address!;
  const cases: Record<string, RegExp> = {
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]: /^HTTP\/1\.1 431 /,
    [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`]: /^HTTP\/1\.1 431 /,
    'GET / HTTP/1.1\r\n\r\n': /^HTTP\/1\.1 400 /,
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03': /^HTTP\/1\.1 400 /,
    'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n': /^HTTP\/1\.1 400 /,
    'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nabc': /^HTTP\/1\.1 200 /,
    'GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n': /^HTTP\/1\.1 (100|200) /,
  };
  for (const [bytes, expected] of Object.entries(cases))
    assert.match(await askRaw(at, bytes), expected, bytes.slice(0, 60));
  assert.equal((await ask(at, '/healthz')).status, 200);
});

test('a pipelined second request is not answered on the same connection', async (t) => {
  const { listener } = await start(t);
  const request = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n';
  const text = await askRaw(listener.address!, request.repeat(50));
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 1);
});

test('clients that only hold their connections cannot keep others out for ever, nor pile up', async (t) => {
  const { listener } = await start(t, { timeoutMs: 500 });
  const port = Number(listener.address!.split(':').at(-1));
  let closed = 0;
  const sockets = Array.from({ length: 100 }, () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => {
      closed += 1;
    });
    socket.resume();
    return socket;
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const until = performance.now() + 10_000;
  while (closed < 60 && performance.now() < until) await delay(10);
  assert.ok(closed >= 60, `only ${closed} of 100 idle connections were refused`);
  // The others are cut off when they have not asked in time.
  const allBy = performance.now() + 25_000;
  while (closed < 100 && performance.now() < allBy) await delay(100);
  assert.equal(closed, 100);
  assert.equal((await ask(listener.address!, '/healthz')).status, 200);
});

test('a port that is taken is an error in the log, and is had when it is free', async (t) => {
  const holder = net.createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as net.AddressInfo;
  const { listener, lines } = await start(t, { at: `127.0.0.1:${port}`, retryMs: 20 });
  assert.equal(listener.address, undefined);
  assert.equal(lines[0]!.level, 50);
  assert.equal(lines[0]!.event, 'admin_listener_failed');
  assert.match(String(lines[0]!.hint), /admin\.listen/);
  await new Promise((resolve) => holder.close(resolve));
  const until = performance.now() + 10_000;
  while (listener.address === undefined && performance.now() < until) await delay(10);
  assert.equal((await ask(listener.address!, '/healthz')).status, 200);
});

test('an unchanged address keeps its connections; a changed one moves; off ends it', async (t) => {
  const { listener } = await start(t);
  const first = listener.address!;
  await listener.listen(parseListenAddress('127.0.0.1:0'));
  assert.equal(listener.address, first);
  const file = join(directory(t), 'admin.sock');
  await listener.listen(parseListenAddress(`unix:${file}`));
  assert.equal(listener.address, `unix:${file}`);
  assert.equal((await ask(`unix:${file}`, '/healthz')).status, 200);
  await assert.rejects(ask(first, '/healthz'), { code: 'ECONNREFUSED' });
  await listener.listen(undefined);
  assert.equal(existsSync(file), false, 'its file is gone');
});

test('a unix socket is for its owner and group, and leaves nothing else behind', async (t) => {
  const made = directory(t);
  const { listener } = await start(t, { at: `unix:${join(made, 'admin.sock')}` });
  assert.deepEqual(readdirSync(made), ['admin.sock']);
  assert.equal(statSync(join(made, 'admin.sock')).mode & 0o777, 0o660);
  await listener.close();
  assert.deepEqual(readdirSync(made), []);
});

test('a stale socket is replaced; one that is in use, or what is no socket, is left alone', async (t) => {
  const made = directory(t);
  const file = join(made, 'admin.sock');
  const first = await start(t, { at: `unix:${file}` });
  const second = await start(t, { at: `unix:${file}` });
  assert.equal(second.listener.address, undefined, 'in use');
  assert.match(String(second.lines[0]!.error), /another process listens on/);
  assert.equal((await ask(`unix:${file}`, '/healthz')).status, 200);
  await first.listener.close();
  await leaveStaleSocket(file);
  assert.equal(statSync(file).isSocket(), true);
  await assert.rejects(ask(`unix:${file}`, '/healthz'), { code: 'ECONNREFUSED' });
  const third = await start(t, { at: `unix:${file}` });
  assert.equal(third.listener.address, `unix:${file}`);
  assert.equal((await ask(`unix:${file}`, '/healthz')).status, 200);
  const plain = join(made, 'plain');
  writeFileSync(plain, 'mine');
  const fourth = await start(t, { at: `unix:${plain}` });
  assert.match(String(fourth.lines[0]!.error), /is no socket: it is left alone/);
  assert.equal(statSync(plain).isFile(), true);
});

test('a socket whose place somebody else took meanwhile is not removed at the end', async (t) => {
  const made = directory(t);
  const file = join(made, 'admin.sock');
  const { listener } = await start(t, { at: `unix:${file}` });
  rmSync(file);
  writeFileSync(file, 'mine');
  await listener.close();
  assert.equal(statSync(file).isFile(), true);
});

test('a directory that is not there is an error in the log', async (t) => {
  const { listener, lines } = await start(t, { at: `unix:${join(directory(t), 'none', 'admin.sock')}` });
  assert.equal(listener.address, undefined);
  assert.equal(lines[0]!.event, 'admin_listener_failed');
});

/** Makes a socket file that nobody listens on: a process listens there and is killed. */
async function leaveStaleSocket(file: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('close', resolve));
}
