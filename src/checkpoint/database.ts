import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Durability } from '../config/types.ts';
import { AuditailError } from '../errors.ts';
import { MIGRATIONS } from './migrations.ts';
import { SinkRename } from './sink-rename.ts';
import { type Database, openSqlite, openSqliteReadOnly, type SqliteFile } from './sqlite-file.ts';
import { foreignRows } from './state-rows.ts';

export type { Database } from './sqlite-file.ts';

const STATE_FILE = 'state.sqlite';

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
  const db = openDatabaseForRename(stateDir, durability);
  try {
    new SinkRename(db).assertNone();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** As {@link openDatabase}, also where a sink was not renamed to its end. */
export function openDatabaseForRename(stateDir: string, durability: Durability): Database {
  createStateDir(stateDir);
  return openSqlite(stateFile(stateDir), durability);
}

/** A state database in memory with nothing in it. */
export function emptyDatabase(): Database {
  return openSqlite({ ...stateFile(''), path: ':memory:' }, 'process');
}

/** Opens the state database to look at it, beside a running agent or without one. */
export function openDatabaseReadOnly(stateDir: string): Database {
  return openSqliteReadOnly(stateFile(stateDir));
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

function stateFile(stateDir: string): SqliteFile {
  return { path: statePath(stateDir), name: 'state database', code: 'STATE', migrations: MIGRATIONS, foreignRows };
}
