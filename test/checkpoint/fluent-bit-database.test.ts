import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { readFluentBitDatabase } from '../../src/checkpoint/fluent-bit-database.ts';
import { writeFluentBitDb, writeKilledFluentBitDb } from '../cli/offsets/other-agents.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-fluent-bit-'));
after(() => rmSync(root, { recursive: true }));

const ENTRIES = [
  { path: '/var/log/audit.log.1', offset: 5000, inode: 11n },
  { path: '/var/log/audit.log', offset: 2 ** 40, inode: 2n ** 64n - 2n },
];
const ROWS = [
  { id: 1n, name: '/var/log/audit.log.1', offset: 5000n, inode: 11n },
  { id: 2n, name: '/var/log/audit.log', offset: 2n ** 40n, inode: 2n ** 64n - 2n },
];

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(root, 'case-'));
  file = path.join(directory, 'tail.db');
});

/** Names, content and times of all that is in the directory. */
function traces(): string[] {
  return readdirSync(directory)
    .toSorted()
    .map((name) => {
      const at = path.join(directory, name);
      const { mtimeMs, ino } = statSync(at);
      return `${name} ${ino} ${mtimeMs} ${createHash('sha256').update(readFileSync(at)).digest('hex')}`;
    });
}

for (const markers of [false, true]) {
  test(`rows of a database ${markers ? 'with' : 'without'} offset_marker`, () => {
    writeFluentBitDb(file, ENTRIES, { markers });
    const before = traces();
    assert.deepEqual(readFluentBitDatabase(file), ROWS);
    assert.deepEqual(traces(), before);
  });
}

test('rows of the oldest versions, without a column for rotation', () => {
  const sql =
    'CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, offset INTEGER, inode INTEGER, created INTEGER);' +
    "INSERT INTO in_tail_files VALUES (7, '/a', 1, 2, 3);";
  execFileSync('sqlite3', [file], { input: sql });
  assert.deepEqual(readFluentBitDatabase(file), [{ id: 7n, name: '/a', offset: 1n, inode: 2n }]);
});

test('what is only in the write-ahead log counts, and nothing of it is changed', async () => {
  await writeKilledFluentBitDb(file, ENTRIES);
  const before = traces();
  assert.ok(before.some((name) => name.startsWith('tail.db-wal ')));
  assert.deepEqual(readFluentBitDatabase(file), ROWS);
  assert.deepEqual(traces(), before);
});

test('a database of something else is one clear error', () => {
  execFileSync('sqlite3', [file], { input: 'CREATE TABLE other (id);' });
  assert.throws(() => readFluentBitDatabase(file), {
    code: 'IMPORT_READ',
    message: /tail\.db as a database of Fluent Bit$/,
  });
  writeFileSync(file, 'SQLite format 3\0 and nothing more of it');
  assert.throws(() => readFluentBitDatabase(file), { code: 'IMPORT_READ' });
});

test('no copy is left behind', (t) => {
  const { TMPDIR } = process.env;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  const temporary = path.join(directory, 'tmp');
  mkdirSync(temporary);
  process.env.TMPDIR = temporary;
  writeFluentBitDb(file, ENTRIES);
  assert.deepEqual(readFluentBitDatabase(file), ROWS);
  writeFileSync(file, 'SQLite format 3\0 and nothing more of it');
  assert.throws(() => readFluentBitDatabase(file));
  assert.deepEqual(readdirSync(temporary), []);
});
