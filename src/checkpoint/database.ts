import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Durability } from '../config/types.ts';
import { AuditailError, errorCode } from '../errors.ts';
import { MIGRATIONS } from './migrations.ts';

export type Database = Sqlite.Database;

const STATE_FILE = 'state.sqlite';

/** How long a reader such as `offsets list` waits for the agent's transaction. */
const BUSY_TIMEOUT_MS = 5_000;

/** The state directory holds positions and cut-off evidence: nobody but its owner needs it. */
const STATE_DIR_MODE = 0o700;

export function statePath(stateDir: string): string {
  return path.join(stateDir, STATE_FILE);
}

/**
 * Opens the state database for the agent, creating and migrating it. A damaged one stops the start; it is never
 * replaced, because an empty state would read and archive everything again.
 */
export function openDatabase(stateDir: string, durability: Durability): Database {
  createStateDir(stateDir);
  return opened(statePath(stateDir), (file) => {
    const db = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS });
    db.pragma('journal_mode = WAL');
    // WAL with NORMAL may lose the last commits at a power loss, and the archive would be ahead of the state.
    db.pragma(`synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`);
    db.pragma('foreign_keys = ON');
    checkIntegrity(db);
    migrate(db);
    return db;
  });
}

/** Opens the state database to look at it, beside a running agent or without one. */
export function openDatabaseReadOnly(stateDir: string): Database {
  return opened(statePath(stateDir), (file) => {
    const db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    assertKnownVersion(db);
    return db;
  });
}

export function createStateDir(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: STATE_DIR_MODE });
  } catch (cause) {
    throw new AuditailError('STATE_DIR', `cannot create the state directory ${stateDir}`, {
      cause,
      hint: 'Give the agent a directory that it may write to with state_dir',
    });
  }
}

function opened(file: string, open: (file: string) => Database): Database {
  try {
    return open(file);
  } catch (cause) {
    if (cause instanceof AuditailError) throw cause;
    if (['SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(errorCode(cause) ?? '')) throw corrupt(file, cause);
    throw new AuditailError('STATE_OPEN', `cannot open the state database ${file}`, {
      cause,
      hint: 'The agent needs to read and write it and its directory (state_dir)',
    });
  }
}

function checkIntegrity(db: Database): void {
  const result = db.pragma('quick_check(1)', { simple: true });
  // SQLite's verdict has several lines, and an error is one.
  if (result !== 'ok') throw corrupt(db.name, new Error(String(result).replaceAll(/\s*\n\s*/g, ' ')));
}

function corrupt(file: string, cause: unknown): AuditailError {
  return new AuditailError('STATE_CORRUPT', `the state database ${file} is damaged`, {
    cause,
    hint:
      `Restore it from a copy, or move it aside with: for f in '${file}' '${file}-wal' '${file}-shm'; ` +
      'do [ ! -e "$f" ] || mv "$f" "$f.damaged"; done',
  });
}

function migrate(db: Database): void {
  for (let version = assertKnownVersion(db); version < MIGRATIONS.length; version += 1) {
    db.transaction(() => {
      db.exec(MIGRATIONS[version]!);
      db.pragma(`user_version = ${version + 1}`);
    }).immediate();
  }
}

function assertKnownVersion(db: Database): number {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > MIGRATIONS.length) {
    throw new AuditailError('STATE_VERSION', `the state database ${db.name} was written by a newer auditail`, {
      hint: `It has version ${version} and this program knows ${MIGRATIONS.length}: install the newer auditail again`,
    });
  }
  return version;
}
