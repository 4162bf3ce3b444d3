import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { readOtherPositions } from '../../../src/cli/offsets/other-positions.ts';
import { parsePosFile } from '../../../src/cli/offsets/pos-file.ts';
import { AuditailError } from '../../../src/errors.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';
import { mutated } from '../../helpers/mutations.ts';
import { fluentBitSql, posLine } from './other-agents.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-positions-'));
after(() => rmSync(root, { recursive: true }));

const CODES = ['IMPORT_READ', 'IMPORT_FORMAT'];

const ENTRIES = [
  { path: '/var/log/kubernetes/audit/audit.log', offset: 1234, inode: 5678n },
  { path: '/var/log/kubernetes/audit/audit-2026-01-15T09-00-00.000.log', offset: 2 ** 40, inode: 2n ** 64n - 2n },
  { path: '/gone', offset: 0xffff_ffff_ffff_ffffn, inode: 5n },
];

/** What was read, or undefined where that was refused as it should be: in one line, with nothing that a terminal acts on. */
function read<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof AuditailError && CODES.includes(error.code), String(error));
    assert.doesNotMatch(error.message, /[\x00-\x1f]/);
    assert.ok(error.message.length < 600, error.message);
    return undefined;
  }
}

test('a damaged pos_file gives positions as fluentd would write them, or one clear error', () => {
  const files = [ENTRIES.map((entry) => posLine(entry)).join(''), posLine(ENTRIES[0]!, 8)];
  const tokens = ['\t', '\n', '\tffffffffffffffff\t', '0000000000000001', '\r\n', '\0', '\u0085'];
  let readable = 0;
  const property = fc.property(mutated(files, { tokens }), (content) => {
    const positions = read(() => parsePosFile(content, 'a.pos'));
    if (positions === undefined) return;
    readable += 1;
    const text = content.toString();
    for (const { path: name, offset, inode, place } of positions) {
      const line = text.split('\n')[Number(place.slice('line '.length)) - 1]!;
      const digits = line.length - name.length - 2 - 16;
      assert.equal(`${line}\n`, posLine({ path: name, offset, inode }, digits));
    }
  });
  fc.assert(property, fuzz(20_000));
  assert.ok(readable > 50);
});

/** As Fluent Bit leaves it: what came last is in the write-ahead log only. */
function database(): { db: Buffer; wal: Buffer } {
  const file = path.join(root, 'tail.db');
  const db = new Sqlite(file);
  db.pragma('journal_mode = WAL');
  db.exec(fluentBitSql(ENTRIES.slice(0, 1)));
  db.pragma('wal_checkpoint(TRUNCATE)');
  for (let n = 0; n < 100; n += 1) {
    db.prepare('INSERT INTO in_tail_files (name, offset, inode, created) VALUES (?, ?, ?, 0)').run(`/log/${n}`, n, n);
  }
  const files = { db: readFileSync(file), wal: readFileSync(`${file}-wal`) };
  db.close();
  return files;
}

test('a damaged database of Fluent Bit gives rows that can be, or one clear error; nothing is left behind', () => {
  const { db, wal } = database();
  const file = path.join(root, 'damaged.db');
  const temporary = path.join(root, 'tmp');
  mkdirSync(temporary);
  const { TMPDIR } = process.env;
  process.env.TMPDIR = temporary;
  let readable = 0;
  const property = fc.property(
    mutated([db], { tokens: ['in_tail_files', 'CREATE TABLE', 'TEXT', '\xff'] }),
    fc.option(mutated([wal], { most: 3 }), { nil: wal }),
    (damaged, log) => {
      writeFileSync(file, damaged);
      writeFileSync(`${file}-wal`, log);
      const found = read(() => readOtherPositions(file, undefined));
      assert.deepEqual(readdirSync(temporary), []);
      if (found?.agent !== 'fluent-bit') return;
      readable += 1;
      for (const { path: name, offset, inode } of found.positions) {
        assert.ok(typeof name === 'string' && offset >= 0n && inode >= 0n && inode < 2n ** 64n);
      }
    },
  );
  try {
    fc.assert(property, fuzz(400));
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
  assert.ok(readable > 20, `${readable} were read`);
});
