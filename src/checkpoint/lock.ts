import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
    const file = lockPath(stateDir);
    let db: Sqlite.Database | undefined;
    try {
      db = new Sqlite(file, { timeout: 0 });
      db.exec('BEGIN EXCLUSIVE');
      writeFileSync(
        holderPath(stateDir),
        `process ${process.pid} on ${os.hostname()}, since ${new Date().toISOString()}\n`,
      );
      return new StateLock(db);
    } catch (cause) {
      db?.close();
      if (isBusy(cause)) throw locked(stateDir);
      throw new AuditailError('STATE_LOCK', `cannot lock the state directory with ${file}`, {
        cause,
        hint: 'The agent needs to read and write it',
      });
    }
  }

  /** Changes nothing. @throws AuditailError `STATE_LOCKED` when a process holds the directory */
  static assertFree(stateDir: string): void {
    const file = lockPath(stateDir);
    if (!existsSync(file)) return;
    const db = new Sqlite(file, { readonly: true, timeout: 0 });
    try {
      // An exclusive transaction keeps readers out.
      db.prepare('SELECT count(*) FROM sqlite_master').get();
    } catch (error) {
      throw isBusy(error) ? locked(stateDir) : error;
    } finally {
      db.close();
    }
  }

  release(): void {
    if (this.#db.open) this.#db.close();
  }
}

function lockPath(stateDir: string): string {
  return path.join(stateDir, 'lock.sqlite');
}

function holderPath(stateDir: string): string {
  return path.join(stateDir, 'lock.holder');
}

function isBusy(error: unknown): boolean {
  return errorCode(error)?.startsWith('SQLITE_BUSY') === true;
}

function locked(stateDir: string): AuditailError {
  return new AuditailError('STATE_LOCKED', `${stateDir} is in use by ${readHolder(holderPath(stateDir))}`, {
    hint: 'Stop that agent first, or give this one its own state_dir and its own output paths',
  });
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return 'another process';
  }
}
