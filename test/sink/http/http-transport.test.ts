import assert from 'node:assert/strict';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MAX_RESPONSE_BYTES } from '../../../src/sink/http/http-transport.ts';
import { event, failureOf, listen, NEVER, secret, startServer, transportTo } from './http-harness.ts';

/** A server that does as it likes with the bytes of its `n`th connection. */
async function rawServer(t: TestContext, onData: (socket: net.Socket, n: number) => void): Promise<string> {
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    const n = connections;
    socket.on('data', () => onData(socket, n));
  });
  return `http://127.0.0.1:${await listen(t, server)}/in`;
}

test('a request is a POST with the body, its type and the configured headers', async (t) => {
  const server = await startServer(t, (_request, response) => {
    response.writeHead(201, { 'X-One': 'a', 'set-cookie': ['first', 'second'] }).end('the answer');
  });
  const transport = transportTo(t, `${server.origin}/in?token=t`, { headers: { 'X-Tenant': secret('ops') } });
  const response = await transport.send(event(1).line, NEVER);
  assert.equal(response.status, 201);
  assert.equal(response.headers['x-one'], 'a');
  assert.equal(response.headers['set-cookie'], 'first');
  assert.equal(response.body.toString(), 'the answer');
  assert.equal(response.complete, true);
  const [request] = server.received;
  assert.equal(request!.method, 'POST');
  assert.equal(request!.url, '/in?token=t');
  assert.equal(request!.body.toString(), '{"n":1}');
  assert.equal(request!.headers['content-type'], 'text/plain');
  assert.equal(request!.headers['x-tenant'], 'ops');
  assert.equal(request!.headers['content-encoding'], undefined);
  assert.equal(request!.headers['content-length'], '7');
});

test('bodies are gzipped, but for one without content', async (t) => {
  const server = await startServer(t, (_request, response) => void response.end());
  const transport = transportTo(t, server.origin, { compress: 'gzip' });
  const body = Buffer.from('{"a":1}\n'.repeat(10_000));
  await transport.send(body, NEVER);
  await transport.send(Buffer.alloc(0), NEVER);
  const [full, empty] = server.received;
  assert.equal(full!.headers['content-encoding'], 'gzip');
  assert.ok(Number(full!.headers['content-length']) < body.length / 10);
  assert.deepEqual(full!.body, body);
  assert.equal(empty!.headers['content-encoding'], undefined);
  assert.equal(empty!.headers['content-length'], '0');
});

test('connections are kept alive, and as many as `concurrency` says', async (t) => {
  const server = await startServer(t, (_request, response) => void setImmediate(() => response.end()));
  const transport = transportTo(t, server.origin, { concurrency: 3 });
  for (let i = 0; i < 3; i++) await Promise.all([1, 2, 3, 4, 5].map(() => transport.send(event(i).line, NEVER)));
  assert.equal(server.received.length, 15);
  assert.equal(server.connections, 3);
});

test('a redirect is an answer, and is not followed', async (t) => {
  const target = await startServer(t, (_request, response) => void response.end());
  const server = await startServer(t, (_request, response) => {
    response.writeHead(302, { location: target.origin }).end();
  });
  const response = await transportTo(t, server.origin).send(event(1).line, NEVER);
  assert.equal(response.status, 302);
  assert.equal(target.received.length, 0);
});

test('rotated secrets are used from the next request on', async (t) => {
  const server = await startServer(t, (_request, response) => void response.end());
  let token = 'first';
  const transport = transportTo(t, server.origin, { auth: { kind: 'bearer', token: { reveal: () => token } } });
  await transport.send(event(1).line, NEVER);
  token = 'second';
  await transport.send(event(2).line, NEVER);
  assert.deepEqual(
    server.received.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer second'],
  );
});

test('a receiver that is not there is unreachable', async (t) => {
  const server = net.createServer();
  const port = await listen(t, server);
  await new Promise((resolve) => server.close(resolve));
  const refused = await failureOf(transportTo(t, `http://127.0.0.1:${port}/in?token=t`));
  assert.equal(refused.kind, 'unreachable');
  assert.equal(refused.message, `http://127.0.0.1:${port}: connection refused (ECONNREFUSED)`);
  const unknown = await failureOf(transportTo(t, 'http://no-such-host.invalid/in'));
  assert.equal(unknown.kind, 'unreachable');
  assert.match(unknown.message, /^http:\/\/no-such-host\.invalid: the host name (?:is not known|cannot be resolved)/);
});

test('a connection that is reset before its answer is broken, and nothing is sent again', async (t) => {
  let requests = 0;
  const url = await rawServer(t, (socket) => {
    requests += 1;
    socket.resetAndDestroy();
  });
  const transport = transportTo(t, url);
  assert.equal((await failureOf(transport)).kind, 'broken');
  assert.equal(requests, 1);
});

test('a kept connection that the receiver closed is not used again', async (t) => {
  const server = await startServer(t, (_request, response) => void response.end());
  const transport = transportTo(t, server.origin, { concurrency: 1 });
  for (let i = 0; i < 4; i++) {
    const isGone = new Promise<void>((resolve) => {
      server.server.once('connection', (socket: net.Socket) => socket.once('close', () => resolve()));
    });
    assert.equal((await transport.send(event(i).line, NEVER)).status, 200);
    server.server.closeAllConnections();
    await isGone;
  }
  assert.equal(server.received.length, 4);
});

test('a kept connection that is reset under a request fails that request only, and it is sent once', async (t) => {
  const requests: number[] = [];
  const url = await rawServer(t, (socket, n) => {
    requests.push(n);
    if (requests.length === 2) socket.resetAndDestroy();
    else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  });
  const transport = transportTo(t, url, { concurrency: 1 });
  assert.equal((await transport.send(event(1).line, NEVER)).status, 200);
  assert.equal((await failureOf(transport)).kind, 'broken');
  assert.equal((await transport.send(event(3).line, NEVER)).status, 200);
  assert.deepEqual(requests, [1, 1, 2]);
});

test('a server that comes back on its port is used again', async (t) => {
  const first = await startServer(t, (_request, response) => void response.end());
  const transport = transportTo(t, first.origin);
  await transport.send(event(1).line, NEVER);
  first.server.closeAllConnections();
  await new Promise((resolve) => first.server.close(resolve));
  assert.equal((await failureOf(transport)).kind, 'unreachable');
  const again = net.createServer((socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n'));
  });
  await listen(t, again, first.port);
  assert.equal((await transport.send(event(2).line, NEVER)).status, 204);
});

test('garbage is no answer', async (t) => {
  const url = await rawServer(t, (socket) => void socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'));
  const failure = await failureOf(transportTo(t, url));
  assert.equal(failure.kind, 'unreachable');
  assert.match(failure.message, /what came back is not HTTP/);
});

test('headers without end are no answer', async (t) => {
  const url = await rawServer(t, (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}`));
  assert.match((await failureOf(transportTo(t, url))).message, /headers of the answer are too large/);
});

for (const [what, written] of [
  ['before the answer', ''],
  ['within the headers', 'HTTP/1.1 200 OK\r\ncontent-'],
] as const) {
  test(`a hang ${what} ends with the timeout`, async (t) => {
    const url = await rawServer(t, (socket) => void socket.write(written));
    const failure = await failureOf(transportTo(t, url, { timeoutMs: 150 }));
    assert.equal(failure.kind, 'unreachable');
    assert.match(failure.message, /no answer within 150 ms$/);
  });
}

for (const [what, status, drip] of [
  ['that hangs after its headers', 200, () => {}],
  ['that drips', 413, (socket: net.Socket) => void setInterval(() => socket.write('1\r\nx\r\n'), 20).unref()],
] as const) {
  test(`an answer ${what} is cut at the timeout, and its status counts`, async (t) => {
    const url = await rawServer(t, (socket) => {
      socket.write(`HTTP/1.1 ${status} X\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n`);
      drip(socket);
    });
    const startedAt = performance.now();
    const response = await transportTo(t, url, { timeoutMs: 200 }).send(event(1).line, NEVER);
    assert.ok(performance.now() - startedAt < 2000);
    assert.equal(response.status, status);
    assert.equal(response.complete, false);
    assert.match(response.body.toString(), /^begunx*$/);
  });
}

test('a receiver that takes no bytes is given up at the timeout', async (t) => {
  const server = net.createServer((socket) => void socket.pause());
  const port = await listen(t, server);
  const transport = transportTo(t, `http://127.0.0.1:${port}/`, { timeoutMs: 200 });
  const failure = await failureOf(transport, 'x'.repeat(32 << 20));
  assert.match(failure.message, /no answer within 200 ms$/);
});

test('a request that waits for a connection ends at the timeout and with the signal too', async (t) => {
  const url = await rawServer(t, () => {});
  const transport = transportTo(t, url, { timeoutMs: 200, concurrency: 1 });
  const stop = new AbortController();
  const reason = new Error('enough');
  const sent = [NEVER, NEVER, stop.signal].map((signal) => transport.send(event(1).line, signal));
  const outcomes = Promise.allSettled(sent);
  stop.abort(reason);
  const messages = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.message);
  assert.match(messages[0], /no answer within 200 ms$/);
  assert.match(messages[1], /no answer within 200 ms$/);
  assert.equal(messages[2], 'enough');
});

test('an answer without end is read up to the limit', async (t) => {
  const chunk = Buffer.alloc(1 << 20, 'x');
  const server = await startServer(t, (_request, response) => {
    const pump = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', pump);
    pump();
  });
  const response = await transportTo(t, server.origin, { timeoutMs: 20_000 }).send(event(1).line, NEVER);
  assert.equal(response.status, 200);
  assert.equal(response.complete, false);
  assert.equal(response.isTooLong, true);
  assert.equal(response.body.length, MAX_RESPONSE_BYTES);
});

test('an answer that says that it is compressed is not inflated', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const server = await startServer(t, (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
  });
  const { body, complete } = await transportTo(t, server.origin).send(event(1).line, NEVER);
  assert.ok(complete && body.equals(bomb));
});

test('an answer that breaks off is not complete', async (t) => {
  const url = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe first part', () => socket.destroy());
  });
  const response = await transportTo(t, url).send(event(1).line, NEVER);
  assert.equal(response.complete, false);
  assert.equal(response.isTooLong, false);
  assert.equal(response.body.toString(), 'the first part');
});

// As nginx 1.26, Go 1.24 and Apache 2.4 send it.
const WANTS_TLS = {
  nginx:
    '<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n' +
    '<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n',
  Go: 'Client sent an HTTP request to an HTTPS server.\n',
  Apache:
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>400 Bad Request</title>\n</head><body>\n' +
    '<h1>Bad Request</h1>\n<p>Your browser sent a request that this server could not understand.<br />\n' +
    "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme",
};

for (const [who, text] of Object.entries(WANTS_TLS)) {
  test(`${who} wants TLS on this port: that is for somebody to mend, and no verdict on the events`, async (t) => {
    const server = await startServer(t, (_request, response) => void response.writeHead(400).end(text));
    const failure = await failureOf(transportTo(t, `${server.origin}/secret`));
    assert.equal(failure.kind, 'untrusted');
    assert.equal(failure.message, `${server.origin}: it wants TLS on this port; url must be https`);
  });
}

test('the status 497 says it without words; an answer that only quotes the words is one', async (t) => {
  let status = 497;
  const server = await startServer(t, (_request, response) => {
    response.writeHead(status).end(`cannot parse "${Object.values(WANTS_TLS).join(' ')}"`);
  });
  const transport = transportTo(t, server.origin);
  assert.equal((await failureOf(transport)).kind, 'untrusted');
  status = 400;
  assert.equal((await transport.send(event(1).line, NEVER)).status, 400);
});

test('the signal ends a request before and within its answer, with its reason', async (t) => {
  const reason = new Error('shutting down');
  const aborted = AbortSignal.abort(reason);
  const url = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx', () => setImmediate(() => within.abort(reason)));
  });
  const within = new AbortController();
  const transport = transportTo(t, url);
  await assert.rejects(transport.send(event(1).line, aborted), (error) => error === reason);
  await assert.rejects(transport.send(event(1).line, within.signal), (error) => error === reason);
  const hanging = await rawServer(t, () => before.abort(reason));
  const before = new AbortController();
  await assert.rejects(transportTo(t, hanging).send(event(1).line, before.signal), (error) => error === reason);
});

test('close lets requests in flight end, refuses others, and may be repeated', async (t) => {
  const arrived = Promise.withResolvers<() => void>();
  const server = await startServer(t, (_request, response) => arrived.resolve(() => void response.end('late')));
  const transport = transportTo(t, server.origin);
  const sent = transport.send(event(1).line, NEVER);
  const answer = await arrived.promise;
  const closed = transport.close();
  assert.equal(transport.close(), closed);
  const refused = await failureOf(transport);
  assert.equal(refused.kind, 'unreachable');
  answer();
  assert.equal((await sent).body.toString(), 'late');
  await closed;
  assert.equal(server.received.length, 1);
  assert.equal((await failureOf(transport)).kind, 'unreachable');
});

test('close before any request closes nothing and is done', async (t) => {
  await transportTo(t, 'http://127.0.0.1:9/').close();
});
