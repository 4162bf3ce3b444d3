import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { openDatabase, openDatabaseReadOnly, statePath } from '../../src/checkpoint/database.ts';
import { MIGRATIONS } from '../../src/checkpoint/migrations.ts';
import { SegmentRecords } from '../../src/checkpoint/segment-records.ts';
import { AuditailError, describeError } from '../../src/errors.ts';
import { tempState } from './temp-state.ts';

const TABLES = ['anchors', 'archives', 'gaps', 'offsets', 'segments', 'settings', 'sources', 'spools', 'streams'];

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof AuditailError, String(error));
    return error.code;
  }
  return undefined;
}

test('a new database has every table, the newest version, and belongs to its owner alone', (t) => {
  const dir = tempState(t);
  const db = openDatabase(dir, 'disk');
  t.after(() => db.close());
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all();
  assert.deepEqual(tables, TABLES);
  assert.equal(db.pragma('user_version', { simple: true }), MIGRATIONS.length);
  assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
  assert.equal(db.pragma('foreign_keys', { simple: true }), 1);
  assert.equal(fs.statSync(dir).mode & 0o777, 0o700);
});

for (const [durability, synchronous] of [
  ['disk', 2],
  ['process', 1],
] as const) {
  test(`durability ${durability} syncs as it promises`, (t) => {
    const db = openDatabase(tempState(t), durability);
    t.after(() => db.close());
    assert.equal(db.pragma('synchronous', { simple: true }), synchronous);
  });
}

test('each migration step takes the version before it to its own', (t) => {
  const dir = tempState(t);
  fs.mkdirSync(dir);
  const old = new Sqlite(statePath(dir));
  old.exec(MIGRATIONS[0]!);
  old.pragma('user_version = 1');
  old.prepare("INSERT INTO settings (name, value) VALUES ('kept', 'yes')").run();
  old.close();
  const db = openDatabase(dir, 'process');
  t.after(() => db.close());
  assert.equal(db.pragma('user_version', { simple: true }), MIGRATIONS.length);
  assert.equal(db.prepare("SELECT value FROM settings WHERE name = 'kept'").pluck().get(), 'yes');
});

test('a step that fails half-way leaves the version before it, and nothing of it', (t) => {
  const dir = tempState(t);
  fs.mkdirSync(dir);
  const old = new Sqlite(statePath(dir));
  // The first step comes to this table after it has made others.
  old.exec('CREATE TABLE gaps (other TEXT)');
  old.close();
  assert.equal(
    codeOf(() => openDatabase(dir, 'process')),
    'STATE_OPEN',
  );
  const after = new Sqlite(statePath(dir));
  t.after(() => after.close());
  assert.equal(after.pragma('user_version', { simple: true }), 0);
  assert.deepEqual(after.prepare('SELECT name FROM sqlite_master').pluck().all(), ['gaps']);
});

test('the state of a newer program is refused, to write and to read, and not changed', (t) => {
  const dir = tempState(t);
  openDatabase(dir, 'process').close();
  const newer = new Sqlite(statePath(dir));
  newer.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  newer.close();
  assert.equal(
    codeOf(() => openDatabase(dir, 'process')),
    'STATE_VERSION',
  );
  assert.equal(
    codeOf(() => openDatabaseReadOnly(dir)),
    'STATE_VERSION',
  );
  const after = new Sqlite(statePath(dir), { readonly: true });
  t.after(() => after.close());
  assert.equal(after.pragma('user_version', { simple: true }), MIGRATIONS.length + 1);
});

/** Some thousands of rows, so that damage hits pages in use. */
function filled(dir: string): Buffer {
  const db = openDatabase(dir, 'process');
  const records = new SegmentRecords(db);
  const stream = records.streamId('s', '/log');
  db.transaction(() => {
    for (let n = 0; n < 2000; n += 1)
      db.prepare('INSERT INTO gaps (stream, path, start_offset, reason, found_at) VALUES (?, ?, ?, ?, 0)').run(
        stream,
        `/log/${n}`,
        n,
        'x'.repeat(100),
      );
  })();
  db.close();
  return fs.readFileSync(statePath(dir));
}

for (const [damage, spoil] of [
  ['its beginning is overwritten', (bytes: Buffer) => bytes.fill(0x55, 0, 100)],
  [
    'it is no database',
    () => Buffer.from('this is not a database, but it is long enough to be read as one'.repeat(20)),
  ],
  ['pages in its middle are overwritten', (bytes: Buffer) => bytes.fill(0xaa, 8192, bytes.length - 4096)],
  ['its end is missing', (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2 / 4096) * 4096)],
] as const) {
  test(`a database is refused and left as it is when ${damage}`, (t) => {
    const dir = tempState(t);
    const spoilt = Buffer.from(spoil(filled(dir)));
    fs.writeFileSync(statePath(dir), spoilt);
    let hint: string | undefined;
    try {
      openDatabase(dir, 'process').close();
    } catch (error) {
      assert.ok(error instanceof AuditailError);
      assert.equal(error.code, 'STATE_CORRUPT');
      hint = error.hint;
    }
    assert.match(hint ?? 'it was opened', /move it aside/);
    assert.ok(fs.readFileSync(statePath(dir)).equals(spoilt), 'the damaged database was changed');
  });
}

test('the command that moves a damaged database aside does so, and the next start is a first one', async (t) => {
  const dir = tempState(t);
  filled(dir);
  fs.writeFileSync(statePath(dir), 'damaged'.repeat(1000));
  fs.writeFileSync(`${statePath(dir)}-wal`, '');
  let hint = '';
  try {
    openDatabase(dir, 'process');
  } catch (error) {
    hint = (error as AuditailError).hint!;
  }
  const command = /with: (.*)$/.exec(hint)?.[1];
  assert.ok(command !== undefined, hint);
  const [code] = (await once(spawn('sh', ['-c', command], { stdio: 'inherit' }), 'close')) as [number];
  assert.equal(code, 0);
  assert.ok(fs.existsSync(`${statePath(dir)}.damaged`));
  openDatabase(dir, 'process').close();
});

test('a state directory that cannot be made, and a state that is a directory, are told with a way out', (t) => {
  const dir = tempState(t);
  fs.mkdirSync(path.dirname(dir), { recursive: true });
  fs.writeFileSync(dir, 'a file');
  assert.equal(
    codeOf(() => openDatabase(dir, 'process')),
    'STATE_DIR',
  );
  fs.rmSync(dir);
  fs.mkdirSync(statePath(dir), { recursive: true });
  assert.equal(
    codeOf(() => openDatabase(dir, 'process')),
    'STATE_OPEN',
  );
});

test('nothing is written through a link in the place of the write-ahead log or its index', (t) => {
  for (const suffix of ['-wal', '-shm']) {
    const dir = tempState(t);
    openDatabase(dir, 'process').close();
    const other = path.join(path.dirname(dir), 'other');
    fs.writeFileSync(other, 'mine');
    fs.symlinkSync(other, `${statePath(dir)}${suffix}`);
    assert.equal(
      codeOf(() => openDatabase(dir, 'process').close()),
      'STATE_OPEN',
    );
    assert.equal(fs.readFileSync(other, 'utf8'), 'mine');
  }
});

for (const [what, sql] of [
  ['a table that has another column', 'ALTER TABLE spools RENAME COLUMN offset TO place'],
  ['an index that is gone', 'DROP INDEX segments_by_head'],
  ['a number that cannot be', 'UPDATE streams SET id = 2; INSERT INTO spools VALUES ($s, -1, 0)'],
  ['a device that is no number', "INSERT INTO segments VALUES (1, 1, 'x', '1', '', '/log', 0, 0, 0, 0, 0, NULL, 0, 0)"],
  [
    'a device with a NUL',
    "INSERT INTO segments VALUES (1, 1, '1' || char(0) || 'x', '1', '', '/', 0, 0, 0, 0, 0, NULL, 0, 0)",
  ],
  ['a flag that is none', "INSERT INTO segments VALUES (1, 1, '1', '1', '', '/', 0, 0, 0, 0, 0, NULL, 0, 2)"],
  ['a limit that is no number', "INSERT INTO settings VALUES ('tail_limit', '1' || char(0))"],
  ['a path with a NUL', "INSERT INTO streams VALUES (7, 's', '/log' || char(0))"],
  ['an offset of a segment that is not there', "PRAGMA foreign_keys = OFF; INSERT INTO offsets VALUES ('s', 99, 0)"],
] as const) {
  test(`a state with ${what} is refused as a damaged one, and told in one line`, (t) => {
    const dir = tempState(t);
    const db = openDatabase(dir, 'process');
    new SegmentRecords(db).streamId('s', '/log');
    db.exec(sql.replace('$s', "'s'"));
    db.close();
    assert.throws(
      () => openDatabase(dir, 'process').close(),
      (error) =>
        error instanceof AuditailError && error.code === 'STATE_CORRUPT' && !describeError(error).includes('\n'),
    );
  });
}

test('what others have added to a state does no harm', (t) => {
  const dir = tempState(t);
  const db = openDatabase(dir, 'process');
  db.exec('ANALYZE; CREATE TABLE mine (a); CREATE INDEX my_index ON segments (path)');
  db.close();
  openDatabase(dir, 'process').close();
});

test('a reader beside a running writer sees what is committed, and cannot write', (t) => {
  const dir = tempState(t);
  const writer = openDatabase(dir, 'process');
  t.after(() => writer.close());
  const stream = new SegmentRecords(writer).streamId('apiserver', '/log/audit.log');
  writer.exec('BEGIN IMMEDIATE');
  writer.prepare('INSERT INTO streams (source, path) VALUES (?, ?)').run('apiserver', '/log/other.log');
  const reader = openDatabaseReadOnly(dir);
  t.after(() => reader.close());
  assert.deepEqual(new SegmentRecords(reader).streams('apiserver'), [{ id: stream, path: '/log/audit.log' }]);
  assert.throws(() => new SegmentRecords(reader).streamId('apiserver', '/log/third.log'), /readonly/);
  writer.exec('COMMIT');
  assert.equal(new SegmentRecords(reader).streams('apiserver').length, 2);
});

test('a reader does not make a database where there is none', (t) => {
  const dir = tempState(t);
  fs.mkdirSync(dir);
  assert.equal(
    codeOf(() => openDatabaseReadOnly(dir)),
    'STATE_OPEN',
  );
  assert.deepEqual(fs.readdirSync(dir), []);
});

test('what a killed writer had committed is there after its WAL is read, and nothing else', async (t) => {
  const dir = tempState(t);
  const program = `
    import { openDatabase } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../src/checkpoint/database.ts'))};
    const db = openDatabase(${JSON.stringify(dir)}, 'process');
    db.prepare("INSERT INTO settings (name, value) VALUES ('committed', '1')").run();
    db.exec("BEGIN IMMEDIATE; INSERT INTO settings (name, value) VALUES ('uncommitted', '1')");
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
  const [, signal] = (await once(child, 'close')) as [number, string];
  assert.equal(signal, 'SIGKILL');
  assert.ok(fs.statSync(`${statePath(dir)}-wal`).size > 0, 'the WAL stands beside the database');
  const db = openDatabase(dir, 'process');
  t.after(() => db.close());
  assert.deepEqual(db.prepare('SELECT name FROM settings').pluck().all(), ['committed']);
});
