import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { AuditailError } from '../errors.ts';

/** A row of the table `in_tail_files`. */
export interface FluentBitFile {
  readonly id: bigint;
  /** Its path when it was last seen; it changes at a rotation. */
  readonly name: string;
  readonly offset: bigint;
  readonly inode: bigint;
}

/** What SQLite keeps beside a database, and reads before it. */
const BESIDE = ['-wal', '-journal'] as const;

/**
 * Reads the database of Fluent Bit's tail (`DB`), of any version: the columns that came later are not needed. What is
 * in its write-ahead log counts. Nothing beside the database is changed or created, so that Fluent Bit can go on with it.
 *
 * @returns rows in the order of their ids
 * @throws AuditailError `IMPORT_READ`
 */
export function readFluentBitDatabase(file: string): FluentBitFile[] {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-import-'));
  try {
    const copy = path.join(directory, 'db');
    copyFileSync(file, copy);
    // Not the -shm file: SQLite makes it anew from the write-ahead log.
    for (const suffix of BESIDE) if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    return readRows(copy);
  } catch (cause) {
    throw new AuditailError('IMPORT_READ', `cannot read ${file} as a database of Fluent Bit`, {
      cause,
      hint: 'It is the file that DB names in the [INPUT] of tail',
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readRows(file: string): FluentBitFile[] {
  const db = new Sqlite(file, { fileMustExist: true });
  try {
    const rows = db
      .prepare('SELECT id, name, offset, inode FROM in_tail_files ORDER BY id')
      .safeIntegers()
      .all() as Record<keyof FluentBitFile, unknown>[];
    return rows.map(fileOfRow);
  } finally {
    db.close();
  }
}

/** SQLite holds columns to no types. */
function fileOfRow({ id, name, offset, inode }: Record<keyof FluentBitFile, unknown>): FluentBitFile {
  const isFile = typeof name === 'string' && typeof offset === 'bigint' && offset >= 0n && typeof inode === 'bigint';
  if (typeof id !== 'bigint' || !isFile) throw new Error(`the row with id ${id} is none of Fluent Bit's`);
  // An inode number is unsigned, and SQLite's integers are not.
  return { id, name, offset, inode: BigInt.asUintN(64, inode) };
}
