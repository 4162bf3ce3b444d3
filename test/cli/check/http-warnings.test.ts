import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { freeBytes } from '../../../src/cli/check/free-bytes.ts';
import { httpWarnings } from '../../../src/cli/check/http-warnings.ts';
import { formatPath } from '../../../src/config/config-error.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';

const GIB = 1024 ** 3;

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-http-warnings-'));
after(() => rmSync(root, { recursive: true }));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(root, 'case-'));
});

/** The warnings of one HTTP sink, or of a whole configuration; `free` bytes are left. */
function warnings(text: string, free?: number): string[] {
  const whole = text.includes('sinks:')
    ? text
    : `sinks: [{ name: a, type: http, format: ndjson, url: 'https://h', ${text} }]`;
  const config = parseConfig(whole.replaceAll('DIR', directory), { file: 'f', env: {} });
  return httpWarnings(config, () => free).map(
    ({ path: key, message }) => `${formatPath(key)}: ${message.replaceAll(directory, 'DIR')}`,
  );
}

function written(name: string, content: string, mode: number): void {
  writeFileSync(path.join(directory, name), content);
  chmodSync(path.join(directory, name), mode);
}

test('a sink that is fine has none', () => {
  assert.deepEqual(warnings("auth: { bearer: x }, add: { node: '${node}' }", 100 * GIB), []);
});

test('credentials over http: are told, but for loopback', () => {
  const sink = (url: string, more: string) =>
    warnings(`sinks: [{ name: a, type: http, format: ndjson, url: '${url}', ${more} }]`);
  const told = (what: string) => [`sinks[0].url: sends ${what} over http:, for all on the way to read; use https:`];
  assert.deepEqual(sink('http://es:9200', 'auth: { bearer: x }'), told('the credentials of auth'));
  assert.deepEqual(sink('http://es', 'headers: { X-Api-Key: x }'), told('the header X-Api-Key'));
  assert.deepEqual(sink('http://127.0.0.1.example', 'auth: { bearer: x }').length, 1);
  for (const url of ['http://localhost:1', 'http://127.0.0.1', 'http://[::1]:80/', 'https://es']) {
    assert.deepEqual(sink(url, 'auth: { bearer: x }'), [], url);
  }
  assert.deepEqual(sink('http://es', 'headers: { X-Scope-OrgID: x }'), []);
});

test('secret files that cannot be read, hold nothing, or are open to all', () => {
  chmodSync(root, 0o755);
  chmodSync(directory, 0o755);
  written('open', 'x', 0o644);
  written('closed', 'x', 0o640);
  written('empty', '', 0o600);
  const told = (auth: string) => warnings(`auth: { ${auth} }`);
  assert.deepEqual(told('bearer_file: DIR/closed'), []);
  assert.deepEqual(told('bearer_file: DIR/open'), [
    'sinks[0].auth.bearer_file: every user of this host may read DIR/open; chmod 0600 closes it',
  ]);
  assert.deepEqual(told('basic: { username: u, password_file: DIR/empty }'), [
    'sinks[0].auth.basic.password_file: the secret file DIR/empty is empty. Write the secret into it, on one line',
  ]);
  const [missing] = told('header: { name: n, value_file: DIR/missing }');
  assert.match(
    missing ?? '',
    /^sinks\[0\]\.auth\.header\.value_file: cannot read the secret file DIR\/missing: ENOENT/,
  );
  chmodSync(directory, 0o750);
  assert.deepEqual(told('bearer_file: DIR/open'), [], 'nobody else gets into its directory');
});

test('files for TLS that cannot be read, and a key that is open to all', () => {
  chmodSync(root, 0o755);
  chmodSync(directory, 0o755);
  written('cert', '', 0o644);
  written('key', '', 0o644);
  assert.deepEqual(warnings('tls: { ca_file: DIR/ca, cert_file: DIR/cert, key_file: DIR/key }'), [
    'sinks[0].tls.ca_file: DIR/ca is not readable by this user (ENOENT)',
    'sinks[0].tls.key_file: every user of this host may read DIR/key; chmod 0600 closes it',
  ]);
});

test('an added field that events have already', () => {
  assert.deepEqual(warnings('add: { verb: x, verbs: x }'), [
    'sinks[0].add.verb: audit events have a field verb of their own, which stays; this one is added only where it is missing',
  ]);
});

test('an index for each tag that anybody can make up', () => {
  const index = (template: string, match: string) =>
    warnings(
      `sinks: [{ name: a, type: http, format: elasticsearch, url: 'https://h', index: '${template}', match: '${match}' }]`,
    );
  const [told, ...others] = index('audit-${tag[1..]}', 'audit.**');
  assert.match(told ?? '', /^sinks\[0\]\.index: makes an index for each tag, /);
  assert.deepEqual(others, []);
  assert.deepEqual(index('audit-${tag[1..]}', 'audit.{a,b}'), []);
  assert.deepEqual(index('audit-%Y', '**'), []);
});

test('batches that do not all fit into memory, and lines that fit nowhere', () => {
  assert.deepEqual(warnings('batch: { bytes: 16MiB }, concurrency: 5'), [
    "sinks[0].concurrency: 5 batches of 16MiB are more than this sink's share of memory_limit (64.0 MiB): about 4 can be full at once",
  ]);
  assert.deepEqual(warnings('spool: { max_bytes: 1MiB }, deadletter: { max_bytes: 15MiB }'), [
    'sinks[0].spool.max_bytes: 1MiB cannot hold a line of max_line_bytes (16MiB)',
    'sinks[0].deadletter.max_bytes: 15MiB cannot hold a line of max_line_bytes (16MiB)',
  ]);
});

test('spools that could fill the disk together', () => {
  const sinks = ['a', 'b'].map((name) => `{ name: ${name}, type: http, format: ndjson, url: 'https://h' }`);
  const text = `state_dir: DIR/state\nsinks: [${sinks.join(', ')}]`;
  assert.deepEqual(warnings(text, 2 * GIB), []);
  assert.deepEqual(warnings(text, 1.04 * GIB), [
    'sinks[1].spool.max_bytes: DIR/state has 1.0 GiB of disk left, and the spools up to this one may take 2GiB; ' +
      'a full disk stops everything that the agent writes there',
  ]);
  assert.deepEqual(warnings(text, undefined), []);
});

test('the space is that of the file system on which the directory will be made', () => {
  const free = freeBytes(path.join(directory, 'a/b/c'));
  assert.ok(free !== undefined && free > 0);
  writeFileSync(path.join(directory, 'file'), '');
  assert.equal(freeBytes(path.join(directory, 'file/b')), undefined);
});
