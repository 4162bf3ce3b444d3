import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-config-'));
after(() => rmSync(directory, { recursive: true }));

function load(content: string | Uint8Array): unknown {
  const file = path.join(directory, 'c.yaml');
  writeFileSync(file, content);
  return loadConfig(file, { env: {} });
}

test('a file is read, with or without a byte order mark', () => {
  assert.equal((load('\ufeffthreads: 2\n') as { threads: number }).threads, 2);
});

test('an error names the file, the line and the column', () => {
  assert.throws(() => load('\n\nthread: 2\n'), {
    code: 'CONFIG_INVALID',
    message: `${directory}/c.yaml:3:1: thread: unknown key; did you mean threads?`,
  });
});

test('what cannot be a configuration is refused', () => {
  assert.throws(() => load(`#${'x'.repeat(1024 ** 2)}`), { code: 'CONFIG_READ' });
  assert.throws(() => load(Buffer.concat([Buffer.from('a: 1\nbä: '), Buffer.from([0xff, 0xfe])])), {
    code: 'CONFIG_INVALID',
    message: `${directory}/c.yaml:2:5: not valid UTF-8`,
  });
  assert.throws(() => loadConfig('/dev/zero', { env: {} }), { code: 'CONFIG_READ' });
  const options = { env: {} };
  assert.throws(() => loadConfig(path.join(directory, 'none.yaml'), options), { code: 'CONFIG_READ', hint: /-c/ });
  assert.throws(() => loadConfig(directory, options), { code: 'CONFIG_READ' });
});
