import Sqlite from 'better-sqlite3';
import type { Durability } from '../config/types.ts';
import { AuditailError, errorCode } from '../errors.ts';
import { syncPathOf } from './sync-directory.ts';

export type Database = Sqlite.Database;

/** How long a reader such as `offsets list` waits for the agent's transaction, and the agent for a command's. */
const BUSY_TIMEOUT_MS = 5_000;

/** A database of the agent. */
export interface SqliteFile {
  readonly path: string;
  /** As messages call it: `state database`. */
  readonly name: string;
  /** What the codes of errors begin with: `STATE`. */
  readonly code: string;
  /** Step N takes it from `user_version` N to N + 1. */
  readonly migrations: readonly string[];
  /** A table with a row that nobody wrote; undefined where there is none. */
  readonly foreignRows?: (db: Database) => string | undefined;
}

/**
 * Opens a database to write to it, creating and migrating it. A damaged one is refused and left as it is.
 *
 * @throws AuditailError `…_CORRUPT`, `…_VERSION`, `…_OPEN`
 */
export function openSqlite(file: SqliteFile, durability: Durability): Database {
  return opened(file, { timeout: BUSY_TIMEOUT_MS }, (db) => {
    db.pragma('journal_mode = WAL');
    setDurability(db, durability);
    db.pragma('foreign_keys = ON');
    checkIntegrity(file, db);
    migrate(file, db);
    checkContent(file, db);
    // SQLite syncs the directory only for files that it has just made, and nothing above it.
    if (durability === 'disk') syncPathOf(file.path);
  });
}

/** Not inside a transaction. WAL with NORMAL may lose the last commits at a power loss: the archive would be ahead of the state. */
export function setDurability(db: Database, durability: Durability): void {
  db.pragma(`synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`);
}

/** Opens an existing database to look at it, beside a running agent or without one. @throws as {@link openSqlite} */
export function openSqliteReadOnly(file: SqliteFile): Database {
  return opened(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS }, (db) => {
    assertKnownVersion(file, db);
  });
}

function opened(file: SqliteFile, options: Sqlite.Options, prepare: (db: Database) => void): Database {
  let db: Database | undefined;
  try {
    db = new Sqlite(file.path, options);
    prepare(db);
    return db;
  } catch (cause) {
    db?.close();
    if (cause instanceof AuditailError) throw cause;
    if (['SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(errorCode(cause) ?? '')) throw corrupt(file, cause);
    throw new AuditailError(`${file.code}_OPEN`, `cannot open the ${file.name} ${file.path}`, {
      cause,
      hint: 'The agent needs to read and write it and its directory (state_dir)',
    });
  }
}

/** Not the quicker `quick_check`: an index that lacks a row fails each commit, which is no better than a damaged file. */
function checkIntegrity(file: SqliteFile, db: Database): void {
  const result = db.pragma('integrity_check(1)', { simple: true });
  if (result !== 'ok') throw corrupt(file, new Error(String(result)));
}

/** SQLite takes a schema in which a name was changed, and rows in which a value was. */
function checkContent(file: SqliteFile, db: Database): void {
  const found = schemaOf(db);
  const isWhole = [...schemaOf(emptyOf(file))].every(([name, sql]) => found.get(name) === sql);
  if (!isWhole) throw corrupt(file, new Error('its tables are not those that it was made with'));
  const table = file.foreignRows?.(db);
  if (table !== undefined) throw corrupt(file, new Error(`a row of its table ${table} holds what cannot be there`));
}

/** One in memory that has the newest version. */
function emptyOf(file: SqliteFile): Database {
  const db = new Sqlite(':memory:');
  migrate(file, db);
  return db;
}

/** How each table, index and trigger was made, by name. */
function schemaOf(db: Database): Map<string, string | null> {
  const rows = db.prepare('SELECT name, sql FROM sqlite_master').raw().all() as [string, string | null][];
  return new Map(rows);
}

/** What SQLite says may quote what it found in the file, and has several lines; an error is one line of text. */
function corrupt({ path, name, code }: SqliteFile, cause: unknown): AuditailError {
  const said = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 300);
  return new AuditailError(`${code}_CORRUPT`, `the ${name} ${path} is damaged`, {
    cause: new Error(said),
    hint:
      `Restore it from a copy, or move it aside with: for f in '${path}' '${path}-wal' '${path}-shm'; ` +
      'do [ ! -e "$f" ] || mv "$f" "$f.damaged"; done',
  });
}

function migrate(file: SqliteFile, db: Database): void {
  for (let version = assertKnownVersion(file, db); version < file.migrations.length; version += 1) {
    db.transaction(() => {
      // Another process may have done it since.
      if (assertKnownVersion(file, db) !== version) return;
      db.exec(file.migrations[version]!);
      db.pragma(`user_version = ${version + 1}`);
    }).immediate();
  }
}

function assertKnownVersion({ path, name, code, migrations }: SqliteFile, db: Database): number {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > migrations.length) {
    throw new AuditailError(`${code}_VERSION`, `the ${name} ${path} was written by a newer auditail`, {
      hint: `It has version ${version} and this program knows ${migrations.length}: install the newer auditail again`,
    });
  }
  return version;
}
