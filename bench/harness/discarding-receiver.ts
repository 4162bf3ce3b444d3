/**
 * A receiver that takes everything and keeps nothing, as a process of its own: `node bench/harness/discarding-receiver.ts`
 * with an IPC channel, on which it tells its port. Below `/bulk` it answers item by item, as Elasticsearch does with
 * `filter_path=items.*.status`; everywhere else with an empty 200.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';

const NEWLINE = 0x0a;

const server = http.createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.url?.startsWith('/bulk') !== true) return void response.end();
  const body = zlib.gunzipSync(Buffer.concat(chunks));
  let lines = 0;
  for (let at = body.indexOf(NEWLINE); at !== -1; at = body.indexOf(NEWLINE, at + 1)) lines += 1;
  const items = Array(lines / 2).fill('{"create":{"status":201}}');
  response.end(`{"errors":false,"items":[${items.join(',')}]}`);
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
