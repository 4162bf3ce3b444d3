import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fetchStatus } from '../../../src/cli/status/fetch-status.ts';
import { auditail } from '../cli-process.ts';

async function server(t: TestContext, listener: http.RequestListener, host = '127.0.0.1'): Promise<number> {
  const made = http.createServer(listener).listen(0, host);
  await once(made, 'listening');
  t.after(() => {
    made.close();
    made.closeAllConnections();
  });
  return (made.address() as AddressInfo).port;
}

test('an answer that is no status is told apart from no answer', async (t) => {
  const answers: [number, string, RegExp][] = [
    [200, 'hello', /is no status that this version knows/],
    [200, '{"version":2}', /is no status that this version knows/],
    [200, 'null', /is no status that this version knows/],
    [404, 'not found', /was 404/],
    [503, 'busy', /was 503/],
  ];
  for (const [status, body, expected] of answers) {
    const port = await server(t, (_, response) => response.writeHead(status).end(body));
    await assert.rejects(fetchStatus({ kind: 'tcp', host: '127.0.0.1', port }), (error: Error) => {
      assert.match(error.message, expected);
      return 'code' in error && error.code === 'STATUS_ANSWER';
    });
  }
});

test('an agent that is starting is told as that', async (t) => {
  const port = await server(t, (_, response) => response.writeHead(503).end('The agent is starting\n'));
  await assert.rejects(fetchStatus({ kind: 'tcp', host: '127.0.0.1', port }), {
    code: 'STATUS_STARTING',
    message: `the agent on 127.0.0.1:${port} is starting`,
  });
});

test('an answer without an end, and one that is cut off, end in an error', async (t) => {
  const flood = await server(t, (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
    };
    response.on('drain', more);
    more();
  });
  const unreachable = { code: 'STATUS_UNREACHABLE' };
  await assert.rejects(fetchStatus({ kind: 'tcp', host: '127.0.0.1', port: flood }), unreachable);
  const cut = await server(t, (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"version":1');
    setImmediate(() => response.destroy());
  });
  await assert.rejects(fetchStatus({ kind: 'tcp', host: '127.0.0.1', port: cut }), unreachable);
});

test('an agent that listens on all addresses is found on the loopback', async (t) => {
  const port = await server(t, (_, response) => response.end('{"version":1}'), '0.0.0.0');
  assert.equal((await fetchStatus({ kind: 'tcp', host: '0.0.0.0', port })).version, 1);
});

test('a wrong address is wrong usage; nobody at the right one is a failure with a way out', async () => {
  const wrong = await auditail(['status', '--address', '9477']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /expected host:port or unix:\/path/);
  const nobody = await auditail(['status', '--address', '127.0.0.1:1']);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /no agent answers on 127\.0\.0\.1:1: .*ECONNREFUSED/);
  assert.equal(nobody.stdout, '');
});

test('a configuration without a listener is told as such', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'status-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'auditail.yaml');
  writeFileSync(file, 'admin: { listen: off }\n');
  const { code, stderr } = await auditail(['status', '-c', file]);
  assert.equal(code, 1);
  assert.match(stderr, /admin\.listen is off in .*auditail offsets list/);
});
