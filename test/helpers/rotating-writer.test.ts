import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { compareArchive, gzipTest } from './archive-reader.ts';
import { findLogrotate } from './logrotate.ts';
import { BackupGzip, backupName, listBackups, pruneBackups } from './lumberjack.ts';
import { ROTATION_STYLES, RotatingWriter, type RotatingWriterOptions } from './rotating-writer.ts';

const root = mkdtempSync(join(tmpdir(), 'auditail-writer-'));
after(() => rmSync(root, { recursive: true, force: true }));

let directory = '';
let count = 0;
let open: RotatingWriter[] = [];
beforeEach(() => {
  directory = join(root, String(count++));
  mkdirSync(directory, { mode: 0o700 });
});
afterEach(() => {
  for (const writer of open) writer.close();
  open = [];
});

/** 2026-01-15T09:00:00.000Z; each rotation takes the next one. */
function writer(options: RotatingWriterOptions = {}): RotatingWriter {
  let nowMs = Date.UTC(2026, 0, 15, 9);
  const made = new RotatingWriter(join(directory, 'audit.log'), { now: () => nowMs++, ...options });
  open.push(made);
  return made;
}

const names = (): string[] => readdirSync(directory).sort();
const read = (name: string): string => {
  const bytes = readFileSync(join(directory, name));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
};

const NEEDS_LOGROTATE = findLogrotate() === undefined ? 'logrotate is not installed' : false;

/** What stands in the directory after `one` was rotated away, `two` was rotated away, and `three` was written. */
const AFTER_TWO: Record<(typeof ROTATION_STYLES)[number], Record<string, string>> = {
  rename: {
    'audit-2026-01-15T09-00-00.000.log': 'one\n',
    'audit-2026-01-15T09-00-00.001.log': 'two\n',
    'audit.log': 'three\n',
  },
  'rename-gzip': {
    'audit-2026-01-15T09-00-00.000.log.gz': 'one\n',
    'audit-2026-01-15T09-00-00.001.log.gz': 'two\n',
    'audit.log': 'three\n',
  },
  'rename-late': {
    'audit-2026-01-15T09-00-00.000.log': 'one\nlate\n',
    'audit-2026-01-15T09-00-00.001.log': 'two\nlate\n',
    'audit.log': 'three\n',
  },
  copytruncate: { 'audit.log.2': 'one\n', 'audit.log.1': 'two\n', 'audit.log': 'three\n' },
  logrotate: { 'audit.log.2': 'one\n', 'audit.log.1': 'two\n', 'audit.log': 'three\n' },
  'logrotate-copytruncate': { 'audit.log.2': 'one\n', 'audit.log.1': 'two\n', 'audit.log': 'three\n' },
};

describe('RotatingWriter', () => {
  for (const style of ROTATION_STYLES) {
    test(`${style} leaves the files that it should`, {
      skip: style.startsWith('logrotate') && NEEDS_LOGROTATE,
    }, async () => {
      const log = writer();
      const inode = statSync(log.path).ino;
      for (const line of ['one', 'two']) {
        log.writeLines([line]);
        const part = log.rotate(style);
        assert.equal(
          part.endsWith('.gz') ? gunzipSync(readFileSync(part)).toString() : readFileSync(part, 'utf8'),
          `${line}\n`,
        );
        if (style !== 'rename-late') continue;
        log.writeLines(['late']);
        log.reopen();
      }
      log.writeLines(['three']);
      const found = Object.fromEntries(names().map((name) => [name, read(name)]));
      assert.deepEqual(found, AFTER_TWO[style]);
      const sameInode = statSync(log.path).ino === inode;
      // Where the backup was removed after gzip, its inode may have come back as the live file's.
      if (style !== 'rename-gzip')
        assert.equal(sameInode, style.includes('copytruncate'), 'the live file keeps its inode');
      for (const name of names()) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name);
      const report = await compareArchive(directory, log.expected);
      assert.deepEqual([report.lost, report.duplicated, report.foreign], [0, 0, 0]);
    });
  }

  test('compresses with logrotate where it is told to', { skip: NEEDS_LOGROTATE }, () => {
    const log = writer({ logrotate: ['compress'] });
    log.writeLines(['one']);
    log.rotate('logrotate');
    assert.deepEqual(names(), ['audit.log', 'audit.log.1.gz']);
  });

  test('says that logrotate is missing', { skip: !NEEDS_LOGROTATE && 'logrotate is installed' }, () => {
    assert.throws(() => writer().rotate('logrotate'), /logrotate is not installed/);
  });

  test('leaves NULs after a copytruncate without O_APPEND, and none with it', () => {
    for (const [append, left] of [
      [false, '\0\0\0\0two\n'],
      [true, 'two\n'],
    ] as const) {
      rmSync(join(directory, 'audit.log'), { force: true });
      rmSync(join(directory, 'audit.log.1'), { force: true });
      const log = writer({ append });
      log.writeLines(['one']);
      log.rotate('copytruncate');
      log.writeLines(['two']);
      assert.equal(read('audit.log'), left);
    }
  });

  test('takes copytruncate in two steps', () => {
    const log = writer();
    log.writeLines(['one']);
    log.copyAside();
    assert.deepEqual([read('audit.log'), read('audit.log.1')], ['one\n', 'one\n']);
    log.writeLines(['between']);
    log.truncate();
    assert.deepEqual([read('audit.log'), read('audit.log.1')], ['', 'one\n']);
  });

  test('gives two rotations of one millisecond two names', () => {
    const log = writer({ now: () => 0 });
    log.rotate('rename-gzip');
    log.rotate('rename');
    log.rotate('rename');
    const stamps = names().map((name) => name.slice(6, 29));
    assert.deepEqual(stamps.slice(0, 3), [
      '1970-01-01T00-00-00.000',
      '1970-01-01T00-00-00.001',
      '1970-01-01T00-00-00.002',
    ]);
  });

  test('goes on in a file that exists, and joins a part with the line that follows', async () => {
    writeFileSync(join(directory, 'audit.log'), 'before\n');
    const log = writer({ append: false });
    log.writePart('{"a":');
    assert.equal(read('audit.log'), 'before\n{"a":');
    log.writeLines(['1}', Buffer.from([0xff])]);
    const report = await compareArchive(directory, log.expected, { describe: (hash) => log.describe(hash) });
    assert.deepEqual([report.lost, report.foreign], [0, 1]);
    assert.match(report.examples.foreign[0]!, /audit\.log:1: before/);
  });

  test('names a lost line by its beginning', async () => {
    const log = writer();
    log.writeLines(['{"auditID":"1"}', '{"auditID":"2"}']);
    log.truncate();
    log.writeLines(['{"auditID":"3"}']);
    const report = await compareArchive(directory, log.expected, { describe: (hash) => log.describe(hash) });
    assert.deepEqual(report.examples.lost.sort(), ['{"auditID":"1"}', '{"auditID":"2"}']);
  });
});

describe('lumberjack', () => {
  test('names backups in UTC, with and without an extension', () => {
    const atMs = Date.UTC(2026, 10, 4, 18, 30, 5, 7);
    assert.equal(backupName('server.log', atMs), 'server-2026-11-04T18-30-05.007.log');
    assert.equal(backupName('server', atMs), 'server-2026-11-04T18-30-05.007');
  });

  test('prunes by count, newest kept, .log and .log.gz as one, other files left alone', () => {
    const log = writer();
    for (let i = 0; i < 4; i++) log.rotate('rename');
    const gzip = new BackupGzip(join(directory, 'audit-2026-01-15T09-00-00.002.log'));
    new BackupGzip(join(directory, 'audit-2026-01-15T09-00-00.000.log')).finish();
    for (const other of [
      'audit-2026-01-15T09-00-00.000.log.1',
      'audit-note.log',
      'other-2026-01-15T09-00-00.000.log',
    ]) {
      writeFileSync(join(directory, other), '');
    }
    assert.equal(listBackups(directory, 'audit.log').length, 5);
    assert.deepEqual(log.prune(4), []);
    assert.deepEqual(log.prune(2), ['audit-2026-01-15T09-00-00.001.log', 'audit-2026-01-15T09-00-00.000.log.gz']);
    assert.deepEqual(pruneBackups(directory, 'audit.log', 0).length, 3);
    gzip.abandon();
    assert.deepEqual(names(), [
      'audit-2026-01-15T09-00-00.000.log.1',
      'audit-note.log',
      'audit.log',
      'other-2026-01-15T09-00-00.000.log',
    ]);
  });

  test('grows .gz beside the backup and removes the backup last', async (t) => {
    const log = writer();
    log.writeLines(Array.from({ length: 500 }, (_, i) => `line ${i} ${Math.sqrt(i)}`));
    const gzip = new BackupGzip(log.rotate('rename'));
    const total = gzip.left;
    assert.equal(statSync(gzip.gzPath).size, 0);
    gzip.step(100);
    assert.deepEqual([statSync(gzip.gzPath).size, gzip.left], [100, total - 100]);
    const torn = await gzipTest(gzip.gzPath);
    if (torn === 'missing') t.diagnostic('no gzip program here: not asked whether the half is invalid');
    else assert.notEqual(torn, 'valid');
    gzip.step(total);
    assert.deepEqual([gzip.left, names().length], [0, 3]);
    gzip.finish();
    gzip.finish();
    assert.equal(names().length, 2);
    const report = await compareArchive(directory, log.expected);
    assert.deepEqual([report.lost, report.duplicated], [0, 0]);
  });
});
