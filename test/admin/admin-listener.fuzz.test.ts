import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { AdminListener } from '../../src/admin/admin-listener.ts';
import { parseListenAddress } from '../../src/config/listen-address.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { mutated } from '../helpers/mutations.ts';
import { ask, askRaw } from './ask.ts';
import { fakeView } from './fake-view.ts';

const REQUESTS = [
  'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
  'HEAD /metrics?x=y HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\nConnection: keep-alive\r\n\r\n',
  'POST /status HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'GET /readyz HTTP/1.0\r\n\r\nGET /status HTTP/1.1\r\nHost: a\r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET /status HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
];
const TOKENS = [
  'Content-Length: 99999999999\r\n',
  'Expect: 100-continue\r\n',
  '\r\n\r\n',
  '/../../etc/passwd',
  '%00',
  '\0',
  'HTTP/9.9',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\0',
];

test('whatever comes over a connection, it ends, nothing but the four answers is given, and others are served', async (t) => {
  const errors: unknown[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => errors.push(line) });
  const listener = new AdminListener(() => log, { timeoutMs: 500 });
  t.after(() => listener.close());
  listener.show(fakeView());
  await listener.listen(parseListenAddress('127.0.0.1:0'));
  const address = listener.address!;
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  const statuses = new Map<string, number>();
  const property = fc.asyncProperty(
    fc.array(mutated(REQUESTS, { tokens: TOKENS, most: 4 }), { minLength: 1, maxLength: 8 }),
    async (requests) => {
      const answers = await Promise.all(requests.map((bytes) => askRaw(address, bytes)));
      for (const text of answers) {
        const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 'none';
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok(
          text === '' || ['200', '400', '404', '405', '408', '413', '431', '417', '100'].includes(status),
          text.slice(0, 200),
        );
        assert.doesNotMatch(text, /node_modules|\bat .*:\d+:\d+|root:/);
      }
      const { status, body } = await ask(address, '/healthz');
      assert.deepEqual([status, body], [200, 'ok\n']);
    },
  );
  await fc.assert(property, fuzz(30));
  t.diagnostic(JSON.stringify(Object.fromEntries(statuses)));
  assert.deepEqual(errors, []);
  assert.ok(descriptors() <= before + 4, `${before} descriptors before, ${descriptors()} after`);
});
