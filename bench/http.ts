/**
 * How fast a log is caught up with into files, over HTTP, and into both: `node bench/http.ts LOG [rounds]`, after
 * `npm run build`. The log is one of `bench/generate.ts`; the receiver is a process of its own that throws everything
 * away. Best of the rounds, in MB of the log a second, and relative to the files alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const NEWLINE = 0x0a;

type Kind = 'files' | 'ndjson' | 'elasticsearch';

const CASES: readonly (readonly Kind[])[] = [
  ['files'],
  ['ndjson'],
  ['elasticsearch'],
  ['files', 'ndjson'],
  ['files', 'elasticsearch'],
];

/** Answers bulk requests item by item, as Elasticsearch does with `filter_path=items.*.status`; all others with 200. */
async function receive(): Promise<void> {
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
}

function sinkOf(kind: Kind, root: string, port: number): object {
  if (kind === 'files') return { name: kind, type: 'file', path: `${root}/out/audit-\${tag[1..]}.%Y%m%d%H.log.gz` };
  const path = kind === 'ndjson' ? 'lines' : 'bulk';
  const index = kind === 'ndjson' ? {} : { index: 'audit-${tag[1..]}-%Y.%m.%d' };
  return { name: kind, type: 'http', format: kind, url: `http://127.0.0.1:${port}/${path}`, ...index };
}

/** Seconds that a catch-up takes, from the start of the process to its end. */
function catchUp(log: string, kinds: readonly Kind[], port: number): number {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-bench-http-'));
  try {
    const file = path.join(root, 'auditail.yaml');
    const sources = [{ name: 'apiserver', path: log }];
    const sinks = kinds.map((kind) => sinkOf(kind, root, port));
    fs.writeFileSync(file, JSON.stringify({ state_dir: `${root}/state`, sources, sinks }));
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'run', '-c', file, '--exit-at-eof']);
    if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
    return (performance.now() - started) / 1000;
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

async function measure(log: string, rounds: number): Promise<void> {
  const receiver = spawn(process.execPath, [fileURLToPath(import.meta.url), '--receive'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const [port] = (await once(receiver, 'message')) as [number];
    const best = CASES.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, kinds] of CASES.entries()) best[index] = Math.min(best[index]!, catchUp(log, kinds, port));
    }
    const megabytes = fs.statSync(log).size / 1e6;
    for (const [index, kinds] of CASES.entries()) {
      const speed = (megabytes / best[index]!).toFixed(0).padStart(5);
      console.log(`${kinds.join(' + ').padEnd(24)}${speed} MB/s  ${(best[0]! / best[index]!).toFixed(2)}`);
    }
  } finally {
    receiver.kill();
  }
}

const [log, rounds = '3'] = process.argv.slice(2);
if (log === '--receive') await receive();
else if (log === undefined) throw new Error('usage: node bench/http.ts LOG [rounds]');
else await measure(log, Number(rounds));
