import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import type { SinkProbe } from '../../src/cli/check/probe-sinks.ts';
import { checkWith } from '../../src/cli/check.ts';
import { runProgram } from '../../src/cli/program.ts';
import { auditail } from './cli-process.ts';

const SECRET = 'hunter2';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-check-http-'));
after(() => rmSync(directory, { recursive: true }));
mkdirSync(path.join(directory, 'log'));
for (const name of ['log/audit.log', 'cert', 'key']) writeFileSync(path.join(directory, name), '', { mode: 0o600 });

const FILE = path.join(directory, 'auditail.yaml');
writeFileSync(
  FILE,
  `state_dir: DIR/state
sources: [{ path: DIR/log/audit.log }]
sinks:
  - name: es
    type: http
    format: elasticsearch
    match: 'audit.**'
    url: 'https://es.example:9200/${SECRET}?key=${SECRET}'
    auth: { basic: { username: u, password: '\${env:PASSWORD}' } }
    headers: { X-Key: ${SECRET} }
    proxy: 'http://u:${SECRET}@proxy:3128'
    spool: { max_bytes: 32MiB }
  - name: tenant
    type: http
    format: event_list
    match: 'audit.a'
    url: 'http://localhost/x'
    spool: { max_bytes: 16MiB, overflow: drop_oldest }
  - name: mtls
    type: http
    format: ndjson
    url: 'https://h'
    auth: { bearer: ${SECRET} }
    tls: { cert_file: DIR/cert, key_file: DIR/key }
    spool: { max_bytes: 16MiB }
`.replaceAll('DIR', directory),
);

/** Runs the command with this probe in place of the real one. */
async function checked(probe: SinkProbe, ...args: string[]) {
  const printed = { stdout: '', stderr: '' };
  const output = (name: keyof typeof printed) => ({
    write(text: string | Uint8Array): boolean {
      printed[name] += text;
      return true;
    },
  });
  const env = { PASSWORD: SECRET };
  const terminal = { stdin: new PassThrough(), stdout: output('stdout'), stderr: output('stderr'), env };
  const code = await runProgram(['check', '-c', FILE, ...args], terminal, [checkWith(probe)]);
  return { code, ...printed };
}

test('HTTP sinks are listed with what they are, and without what is secret', async () => {
  const { code, stdout, stderr } = await auditail(['check', '-c', FILE], { env: { PASSWORD: SECRET } });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.deepEqual(stdout.split('\n'), [
    `source  apiserver  ${directory}/log/audit.log as audit, from its head`,
    'sink    es         audit.** to https://es.example:9200 (elasticsearch, gzip, auth by basic, spool up to 32MiB, dead letters up to 256MiB)',
    'sink    tenant     audit.a to http://localhost (event_list, not compressed, no auth, spool up to 16MiB, then the oldest is dropped, dead letters up to 256MiB)',
    'sink    mtls       ** to https://h (ndjson, gzip, auth by bearer and client certificate, spool up to 16MiB, dead letters up to 256MiB)',
    `${FILE} is valid, with no warnings`,
    '',
  ]);
});

test('the same as JSON', async () => {
  const { stdout, stderr } = await auditail(['check', '-c', FILE, '--json'], { env: { PASSWORD: SECRET } });
  assert.equal(stderr, '');
  assert.doesNotMatch(stdout, /hunter2/);
  const { sinks, probes } = JSON.parse(stdout);
  assert.equal(probes, undefined);
  const { spool, deadletter, batch, retry, tls, ...rest } = sinks[0];
  assert.deepEqual(rest, {
    name: 'es',
    type: 'http',
    match: 'audit.**',
    origin: 'https://es.example:9200',
    format: 'elasticsearch',
    headers: ['X-Key'],
    auth: 'basic',
    proxy: 'http://proxy:3128',
    compress: 'gzip',
    concurrency: 2,
    timeoutMs: 30_000,
    unparsed: 'wrap',
    add: {},
    index: 'audit-%Y.%m.%d',
    dataStream: false,
    labels: {},
    sourcetype: 'kube:apiserver-audit',
  });
  assert.deepEqual(sinks[1].spool, { afterMs: 2000, maxBytes: 16 * 1024 ** 2, overflow: 'drop_oldest' });
});

test('--probe says of each sink in one line whether it would take events, and fails when one would not', async () => {
  const probe: SinkProbe = async ({ name }) =>
    name !== 'tenant'
      ? { ok: true, finding: 'reachable, trusted and authorised' }
      : Promise.reject(new Error('no\x1b[2J luck'));
  const { code, stdout, stderr } = await checked(probe, '--probe');
  assert.deepEqual({ code, stderr }, { code: 1, stderr: '' });
  assert.deepEqual(stdout.split('\n').slice(-5), [
    'probe   es         ok: reachable, trusted and authorised',
    'probe   tenant     failed: no\\x1b[2J luck',
    'probe   mtls       ok: reachable, trusted and authorised',
    `${FILE} is valid, with no warnings, and 1 sink would take no events now`,
    '',
  ]);
  const json = await checked(probe, '--probe', '--json');
  assert.equal(json.code, 1);
  assert.deepEqual(JSON.parse(json.stdout).probes, [
    { sink: 'es', ok: true, finding: 'reachable, trusted and authorised' },
    { sink: 'tenant', ok: false, finding: 'no\x1b[2J luck' },
    { sink: 'mtls', ok: true, finding: 'reachable, trusted and authorised' },
  ]);
  const fine = await checked(async () => ({ ok: true, finding: 'fine' }), '--probe');
  assert.deepEqual([fine.code, fine.stdout.split('\n').length], [0, 9]);
});

test('nobody is asked without --probe, nor when the configuration is not valid', async () => {
  const never: SinkProbe = () => assert.fail('asked');
  assert.equal((await checked(never)).code, 0);
  const invalid = path.join(directory, 'invalid.yaml');
  writeFileSync(invalid, 'sinks: [{ name: a, type: http, format: ndjson, url: nope }]');
  assert.equal((await checked(never, '-c', invalid, '--probe')).code, 2);
});

test('receivers are asked at the same time', async () => {
  const waiting: (() => void)[] = [];
  const probe: SinkProbe = async () => {
    // Each is answered only when the others have been asked too.
    await new Promise<void>((resolve) => {
      if (waiting.push(resolve) === 3) for (const go of waiting) go();
    });
    return { ok: true, finding: 'fine' };
  };
  assert.equal((await checked(probe, '--probe')).code, 0);
});
