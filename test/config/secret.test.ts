import assert from 'node:assert/strict';
import fs, { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';
import { FileSecret, TextSecret } from '../../src/config/secret.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-secret-'));
after(() => rmSync(root, { recursive: true }));

let file: string;
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(root, 'case-')), 'token');
});

test('only reveal gives the text', () => {
  writeFileSync(file, 'hunter2');
  for (const secret of [new TextSecret('hunter2'), new FileSecret(file)]) {
    assert.equal(secret.reveal(), 'hunter2');
    assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}');
    assert.equal(`${secret}`, '[secret]');
    assert.equal(inspect({ secret }, { depth: null, showHidden: true }), '{ secret: [secret] }');
    assert.deepEqual(Object.keys(secret), []);
    assert.ok(Object.isFrozen(Object.freeze(secret)));
    assert.equal(secret.reveal(), 'hunter2');
  }
});

test('of a file the last line end is left out, and no other', () => {
  for (const [content, text] of [
    ['a', 'a'],
    ['a\n', 'a'],
    ['a\r\n', 'a'],
    [' a\t \n', ' a\t '],
  ] as const) {
    writeFileSync(file, content);
    assert.equal(new FileSecret(file).reveal(), text);
  }
});

test('a file that holds no secret is told, and its content is not', () => {
  const error = (reason: RegExp) => ({ code: 'SECRET_FILE', message: reason });
  assert.throws(() => new FileSecret(file).reveal(), error(/^cannot read the secret file .*token$/));
  assert.throws(() => new FileSecret(path.dirname(file)).reveal(), error(/is no regular file/));
  for (const content of ['', '\n', '\r\n']) {
    writeFileSync(file, content);
    assert.throws(() => new FileSecret(file).reveal(), error(/token is empty$/));
  }
  for (const content of ['hunter2\nhunter2\n', 'hunter2\n\n', 'hunter2\0', '\x1bhunter2']) {
    writeFileSync(file, content);
    assert.throws(
      () => new FileSecret(file).reveal(),
      error(/^(?!.*hunter2).*has more than one line, or control characters$/),
    );
  }
  writeFileSync(file, 'hunter2'.repeat(10_000));
  assert.throws(() => new FileSecret(file).reveal(), error(/^(?!.*hunter2).*has more than 16384 bytes/));
});

test('what changes is read again: written over, renamed over, and by a link that is turned', () => {
  writeFileSync(file, 'one');
  const secret = new FileSecret(file);
  assert.equal(secret.reveal(), 'one');
  // At once and with the same length: the file's times may not tell.
  writeFileSync(file, 'two');
  assert.equal(secret.reveal(), 'two');
  writeFileSync(`${file}.new`, 'six');
  renameSync(`${file}.new`, file);
  assert.equal(secret.reveal(), 'six');
  rmSync(file);
  writeFileSync(`${file}.a`, 'link a');
  writeFileSync(`${file}.b`, 'link b');
  symlinkSync(`${file}.a`, file);
  assert.equal(secret.reveal(), 'link a');
  symlinkSync(`${file}.b`, `${file}.link`);
  renameSync(`${file}.link`, file);
  assert.equal(secret.reveal(), 'link b');
});

test('a file that went away and comes back is read again', () => {
  writeFileSync(file, 'one');
  const secret = new FileSecret(file);
  assert.equal(secret.reveal(), 'one');
  rmSync(file);
  assert.throws(() => secret.reveal(), { code: 'SECRET_FILE' });
  writeFileSync(file, 'one again');
  assert.equal(secret.reveal(), 'one again');
});

test('a settled file is looked at for every request, and read once', (t) => {
  writeFileSync(file, 'one');
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
  const reads = t.mock.method(fs, 'readFileSync').mock;
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const secret = new FileSecret(file);
  assert.deepEqual([secret.reveal(), secret.reveal(), reads.callCount()], ['one', 'one', 1]);
  utimesSync(file, 0, 0);
  assert.deepEqual([secret.reveal(), secret.reveal(), reads.callCount()], ['one', 'one', 2]);
});
