import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { AuditailError, errorCode } from '../errors.ts';
import { createStateDir } from './database.ts';

/**
 * Holds `state_dir` for this process until {@link StateLock.release} or its death, whatever kind of death.
 *
 * The lock is an exclusive SQLite transaction, so the kernel releases it. Who holds it stands in a file beside, since an
 * exclusive transaction also keeps readers out; that file is only for people and may be stale.
 */
export class StateLock {
  readonly #db: Sqlite.Database;

  private constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  /** Throws `STATE_LOCKED` when another process holds the directory. */
  static acquire(stateDir: string): StateLock {
    createStateDir(stateDir);
    const file = path.join(stateDir, 'lock.sqlite');
    const holderFile = path.join(stateDir, 'lock.holder');
    let db: Sqlite.Database | undefined;
    try {
      db = new Sqlite(file, { timeout: 0 });
      db.exec('BEGIN EXCLUSIVE');
      writeFileSync(holderFile, `process ${process.pid} on ${os.hostname()}, since ${new Date().toISOString()}\n`);
      return new StateLock(db);
    } catch (cause) {
      db?.close();
      if (errorCode(cause)?.startsWith('SQLITE_BUSY')) {
        throw new AuditailError('STATE_LOCKED', `${stateDir} is in use by ${readHolder(holderFile)}`, {
          hint: 'Stop that agent first, or give this one its own state_dir and its own output paths',
        });
      }
      throw new AuditailError('STATE_LOCK', `cannot lock the state directory with ${file}`, {
        cause,
        hint: 'The agent needs to read and write it',
      });
    }
  }

  release(): void {
    if (this.#db.open) this.#db.close();
  }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return 'another process';
  }
}
