// An agent without any archive: its HTTP sinks have all of the memory.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { Scene } from './scene.ts';

/** A receiver that takes everything. @returns its address, without a path */
async function receiver(t: TestContext, take: (request: IncomingMessage) => Promise<void>): Promise<string> {
  const server = createServer(async (request, response) => {
    await take(request);
    response.end();
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const count of [1, 3]) {
  test(`${count} HTTP sinks and no archive get every event once`, async (t) => {
    const received = new Map<string, string[]>();
    const address = await receiver(t, async (request) => {
      const lines = (await text(request)).split('\n').filter((line) => line !== '');
      received.set(request.url!, [...(received.get(request.url!) ?? []), ...lines]);
    });
    await using scene = new Scene();
    scene.write(5000);
    const paths = Array.from({ length: count }, (_, index) => `/${index}`);
    const sinks = paths.map((path, index) => ({
      name: `receiver-${index}`,
      type: 'http',
      format: 'ndjson',
      url: `${address}${path}`,
      compress: 'none',
    }));
    const { code, log } = await scene.runToEnd({ config: scene.config({ sinks }) });
    assert.equal(code, 0, JSON.stringify(log.at(-1)));
    for (const path of paths) {
      const ids = received.get(path)!.map((line) => Number(JSON.parse(line).auditID));
      assert.deepEqual(
        ids.sort((a, b) => a - b),
        Array.from({ length: 5000 }, (_, id) => id),
        path,
      );
    }
  });
}

test('with --exit-at-eof the last batch waits for no more events', async (t) => {
  let events = 0;
  const url = await receiver(t, async (request) => {
    events += (await text(request)).trimEnd().split('\n').length;
  });
  await using scene = new Scene();
  scene.write(50);
  // Without the end of the input it would be sent in an hour.
  const sink = { name: 'receiver', type: 'http', format: 'ndjson', url, compress: 'none', batch: { age: '1h' } };
  const { code, log } = await scene.runToEnd({ config: scene.config({ sinks: [sink] }) });
  assert.equal(code, 0, JSON.stringify(log.at(-1)));
  assert.equal(events, 50);
});
