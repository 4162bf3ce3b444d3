import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TlsConfig } from '../../../src/config/types.ts';
import type { AuditailError } from '../../../src/errors.ts';
import { TlsFiles } from '../../../src/sink/http/tls-files.ts';
import { TestCa } from '../../helpers/test-ca.ts';
import { tlsConfig } from './http-harness.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-tls-files-'));
after(() => fs.rmSync(root, { recursive: true }));

const ca = new TestCa();
const first = ca.issue({ names: ['first'] });
const second = ca.issue({ names: ['second'] });

let dirs = 0;

/** Files of its own for each test, on a clock of its own. */
function setUp(names: readonly ('ca' | 'cert' | 'key')[]) {
  dirs += 1;
  const dir = path.join(root, String(dirs));
  fs.mkdirSync(dir);
  const place = (name: string) => path.join(dir, name);
  const write = (name: string, text: string) => fs.writeFileSync(place(name), text);
  write('ca', ca.cert);
  write('cert', first.cert);
  write('key', first.key);
  const config: TlsConfig = tlsConfig({
    caFile: names.includes('ca') ? place('ca') : undefined,
    certFile: names.includes('cert') ? place('cert') : undefined,
    keyFile: names.includes('key') ? place('key') : undefined,
  });
  const kept: string[] = [];
  const clock = { now: 5000 };
  const files = new TlsFiles(
    config,
    () => clock.now,
    (error: AuditailError) => kept.push(error.message),
  );
  return { files, kept, clock, write, place };
}

test('the material stays the same object as long as the files do', () => {
  const { files, clock } = setUp(['ca', 'cert', 'key']);
  const material = files.current();
  assert.equal(material.cert?.toString(), first.cert);
  assert.equal(material.key?.toString(), first.key);
  assert.deepEqual(material.ca, [ca.cert.trim()]);
  for (let i = 0; i < 3; i++) {
    clock.now += 1000;
    assert.equal(files.current(), material);
  }
});

test('changes are seen after a second, also when the clock was set back', () => {
  const { files, clock, write } = setUp(['cert', 'key']);
  const material = files.current();
  write('cert', second.cert);
  write('key', second.key);
  clock.now += 999;
  assert.equal(files.current(), material);
  clock.now += 1;
  assert.equal(files.current().cert?.toString(), second.cert);
  write('cert', first.cert);
  write('key', first.key);
  clock.now = 0;
  assert.equal(files.current().cert?.toString(), first.cert);
});

test('a new certificate beside the old key keeps the old pair until the key is there', () => {
  const { files, kept, clock, write } = setUp(['cert', 'key']);
  const material = files.current();
  write('cert', second.cert);
  for (let i = 0; i < 2; i++) {
    clock.now += 1000;
    assert.equal(files.current(), material);
  }
  assert.equal(kept.length, 2);
  assert.match(kept[0]!, /^tls\.key_file .*key cannot be used: its key is not that of the certificate in .*cert$/);
  write('key', second.key);
  clock.now += 1000;
  const next = files.current();
  assert.equal(next.cert?.toString(), second.cert);
  assert.equal(next.key?.toString(), second.key);
  assert.equal(kept.length, 2);
});

test('files that went back to what they were are used as they are', () => {
  const { files, kept, clock, write } = setUp(['cert', 'key']);
  files.current();
  write('cert', second.cert);
  clock.now += 1000;
  files.current();
  write('cert', first.cert);
  clock.now += 1000;
  assert.equal(files.current().cert?.toString(), first.cert);
  assert.equal(kept.length, 1);
});

test('a symlink that is set to another directory is a change, as pods have it', () => {
  const { files, clock, place, write } = setUp([]);
  assert.ok(files.current().ca.length > 0, 'the authorities of the system');
  fs.mkdirSync(place('one'));
  fs.mkdirSync(place('two'));
  write('one/ca', ca.cert);
  const other = new TestCa('other');
  write('two/ca', other.cert);
  fs.symlinkSync('one', place('data'));
  const linked = new TlsFiles(
    tlsConfig({ caFile: place('data/ca') }),
    () => clock.now,
    () => assert.fail(),
  );
  const material = linked.current();
  fs.symlinkSync('two', place('data-new'));
  fs.renameSync(place('data-new'), place('data'));
  clock.now += 1000;
  assert.notDeepEqual(linked.current().ca, material.ca);
});

for (const [what, option, spoil] of [
  ['a CA file that is cut off', 'ca_file', { ca: ca.cert.slice(0, -40) }],
  ['a CA file whose second certificate is cut off', 'ca_file', { ca: `${ca.cert}${ca.cert.slice(0, 200)}` }],
  ['a CA file with garbage for a certificate', 'ca_file', { ca: ca.cert.replace(/\nMII/, '\nXXX') }],
  ['a CA file without a certificate', 'ca_file', { ca: 'see the wiki' }],
  ['an empty CA file', 'ca_file', { ca: '' }],
  ['a certificate file that is cut off', 'cert_file', { cert: first.cert.slice(0, 300) }],
  ['an empty key file', 'key_file', { key: '' }],
  ['a key that belongs to another certificate', 'key_file', { key: second.key }],
] as const) {
  test(`${what} is named at the start, and keeps older files in use later`, () => {
    const { files, clock, write, place } = setUp(['ca', 'cert', 'key']);
    for (const [name, text] of Object.entries(spoil)) write(name, text);
    const expected = (error: unknown) => {
      const { code, message } = error as AuditailError;
      assert.equal(code, 'TLS_FILE');
      assert.ok(message.startsWith(`tls.${option} ${place(option.replace('_file', ''))} cannot be used: `), message);
      assert.ok(!/MII|PRIVATE/.test(message), 'nothing of a key');
      return true;
    };
    assert.throws(() => files.current(), expected);
    // It is not held against the interval: the next call looks again.
    write('ca', ca.cert);
    write('cert', first.cert);
    write('key', first.key);
    const material = files.current();
    for (const [name, text] of Object.entries(spoil)) write(name, text);
    clock.now += 1000;
    assert.equal(files.current(), material);
  });
}

test('a file that vanished keeps what was read of it in use', () => {
  const { files, kept, clock, place } = setUp(['ca']);
  const material = files.current();
  fs.unlinkSync(place('ca'));
  clock.now += 1000;
  assert.equal(files.current(), material);
  assert.match(kept[0]!, /^tls\.ca_file .* cannot be used: ENOENT$/);
});

test('a pipe, a device and a file that is too large are no files of certificates, and hold up nothing', () => {
  for (const option of ['ca', 'cert', 'key'] as const) {
    const { files, place } = setUp(['ca', 'cert', 'key']);
    const file = place(option);
    fs.rmSync(file);
    execFileSync('mkfifo', [file]);
    assert.throws(() => files.current(), { code: 'TLS_FILE', message: /it is no regular file$/ });
    fs.rmSync(file);
    fs.symlinkSync('/dev/zero', file);
    assert.throws(() => files.current(), { code: 'TLS_FILE', message: /it is no regular file$/ });
    fs.rmSync(file);
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 2 ** 31);
    assert.throws(() => files.current(), { code: 'TLS_FILE', message: /2147483648 bytes, which no such file has$/ });
  }
});
