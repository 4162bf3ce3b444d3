import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probe } from '../../../src/sink/http/probe.ts';
import { NEVER, secret, startServer, tlsConfig, transportTo } from './http-harness.ts';

for (const [status, ok, authorised, finding] of [
  [200, true, true, 'reachable, trusted and authorised (200)'],
  [400, true, true, 'reachable, trusted and authorised (400)'],
  [415, true, true, 'reachable, trusted and authorised (415)'],
  [401, false, false, 'reachable, but not authorised (401)'],
  [403, false, false, 'reachable, but not authorised (403)'],
  [302, false, undefined, 'reachable, but events are not taken at this path (302); check url'],
  [404, false, undefined, 'reachable, but events are not taken at this path (404); check url'],
  [405, false, undefined, 'reachable, but events are not taken at this path (405); check url'],
  [429, false, undefined, 'reachable, but it cannot take events now (429)'],
  [503, false, undefined, 'reachable, but it cannot take events now (503)'],
] as const) {
  test(`status ${status} to a request without events: ${finding}`, async (t) => {
    const server = await startServer(t, (_request, response) => void response.writeHead(status).end());
    const auth = { kind: 'bearer', token: secret('hunter2') } as const;
    const result = await probe(transportTo(t, `${server.origin}/in?key=hunter2`, { auth, compress: 'gzip' }), NEVER);
    assert.deepEqual(result, { ok, reachable: true, trusted: true, authorised, finding });
    assert.equal(server.received.length, 1);
    const [{ method, url, body, headers }] = server.received as [(typeof server.received)[0]];
    assert.deepEqual(
      [method, url, body.length, headers.authorization],
      ['POST', '/in?key=hunter2', 0, 'Bearer hunter2'],
    );
  });
}

test('a receiver that is not there, and one that is not trusted', async (t) => {
  const gone = await probe(transportTo(t, 'http://127.0.0.1:1/in?key=hunter2'), NEVER);
  assert.equal(gone.ok, false);
  assert.equal(gone.reachable, false);
  assert.equal(gone.finding, 'http://127.0.0.1:1: connection refused (ECONNREFUSED)');
  const tls = tlsConfig({ caFile: '/nonexistent/ca.pem' });
  const untrusted = await probe(transportTo(t, 'https://127.0.0.1:1/', { tls }), NEVER);
  assert.equal(untrusted.trusted, false);
  assert.match(untrusted.finding, /^tls\.ca_file \/nonexistent\/ca\.pem cannot be used: ENOENT/);
});

test('it ends with the signal', async (t) => {
  const server = await startServer(t, () => stop.abort(new Error('enough')));
  const stop = new AbortController();
  await assert.rejects(probe(transportTo(t, server.origin), stop.signal), /enough/);
});
