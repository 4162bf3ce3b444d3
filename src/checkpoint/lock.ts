import { closeSync, constants, existsSync, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { AuditailError, errorCode } from '../errors.ts';
import { createStateDir } from './database.ts';

/** More than the agent ever writes of itself. */
const HOLDER_BYTES = 256;

const HOLDER_MODE = 0o600;

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

  /** @throws AuditailError `STATE_LOCKED` when another process holds the directory, `STATE_LOCK` where that cannot be told */
  static acquire(stateDir: string): StateLock {
    createStateDir(stateDir);
    const file = lockPath(stateDir);
    let db: Sqlite.Database | undefined;
    try {
      db = new Sqlite(file, { timeout: 0 });
      db.exec('BEGIN EXCLUSIVE');
      writeHolder(holderPath(stateDir));
      return new StateLock(db);
    } catch (cause) {
      db?.close();
      throw refusal(stateDir, cause);
    }
  }

  /** Changes nothing. @throws AuditailError `STATE_LOCKED` when a process holds the directory, `STATE_LOCK` */
  static assertFree(stateDir: string): void {
    const file = lockPath(stateDir);
    if (!existsSync(file)) return;
    let db: Sqlite.Database | undefined;
    try {
      db = new Sqlite(file, { readonly: true, timeout: 0 });
      // An exclusive transaction keeps readers out.
      db.prepare('SELECT count(*) FROM sqlite_master').get();
    } catch (cause) {
      throw refusal(stateDir, cause);
    } finally {
      db?.close();
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

/** Who holds the lock is told before what the file holds, so one that is damaged is nobody's. */
function refusal(stateDir: string, cause: unknown): AuditailError {
  const code = errorCode(cause) ?? '';
  if (code.startsWith('SQLITE_BUSY')) return locked(stateDir);
  const file = lockPath(stateDir);
  const isDamaged = code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
  return new AuditailError('STATE_LOCK', `cannot lock the state directory with ${file}`, {
    cause,
    hint: isDamaged
      ? `There is nothing in it that is needed, and no agent holds it: remove it with: rm -f '${file}' '${file}-journal'`
      : 'The agent needs to read and write it',
  });
}

function locked(stateDir: string): AuditailError {
  return new AuditailError('STATE_LOCKED', `${stateDir} is in use by ${readHolder(holderPath(stateDir))}`, {
    hint: 'Stop that agent first, or give this one its own state_dir and its own output paths',
  });
}

/** Made anew, so that nothing is written through a link. It is only for people: where it cannot be, the lock holds all the same. */
function writeHolder(file: string): void {
  try {
    rmSync(file, { force: true });
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, HOLDER_MODE);
    try {
      writeSync(fd, `process ${process.pid} on ${os.hostname()}, since ${new Date().toISOString()}\n`);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The disk is full, say.
  }
}

function readHolder(file: string): string {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(fd).isFile()) return 'another process';
      const bytes = Buffer.alloc(HOLDER_BYTES);
      const text = bytes.toString('latin1', 0, readSync(fd, bytes));
      return text.replaceAll(/[^\x20-\x7e]+/g, ' ').trim() || 'another process';
    } finally {
      closeSync(fd);
    }
  } catch {
    return 'another process';
  }
}
