import { existsSync, lchownSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  type Database,
  emptyDatabase,
  openDatabase,
  openDatabaseReadOnly,
  statePath,
} from '../../checkpoint/database.ts';
import { StateLock } from '../../checkpoint/lock.ts';
import { AuditailError, errorCode } from '../../errors.ts';

/** The state of an agent that does not run, for a command that changes it. */
export interface StateAccess {
  readonly stateDir: string;
  /** What the state is now, to look at only; empty where there is none yet. */
  readonly db: Database;
  /**
   * Changes the state, durably; with `dryRun` it does nothing. The last thing to do: `db` is closed then.
   *
   * @param open how the state database is opened
   */
  write(change: (db: Database) => void, open?: typeof openDatabase): void;
}

/**
 * Does `work` while no agent can start on the state directory. With `dryRun` nothing is created or changed there.
 *
 * @throws AuditailError `STATE_LOCKED` while an agent runs
 */
export async function withState<T>(
  stateDir: string,
  { dryRun }: { readonly dryRun: boolean },
  work: (state: StateAccess) => Promise<T>,
): Promise<T> {
  using opened = new DisposableStack();
  const owned = dryRun ? undefined : new OwnFiles(stateDir);
  try {
    if (dryRun) StateLock.assertFree(stateDir);
    else opened.adopt(StateLock.acquire(stateDir), (lock) => lock.release());
  } catch (error) {
    throw errorCode(error) === 'STATE_LOCKED' ? agentRuns(error as AuditailError) : error;
  }
  owned?.giveAway();
  const db = existsSync(statePath(stateDir)) ? openDatabaseReadOnly(stateDir) : emptyDatabase();
  opened.adopt(db, (one) => one.close());
  return await work({
    stateDir,
    db,
    write: (change, open = openDatabase) => {
      if (dryRun) return;
      // SQLite clears up behind the last connection, if that one may write.
      db.close();
      const writable = open(stateDir, 'disk');
      try {
        owned?.giveAway();
        change(writable);
      } finally {
        writable.close();
      }
    },
  });
}

function agentRuns({ message }: AuditailError): AuditailError {
  return new AuditailError('STATE_LOCKED', message, {
    hint: 'Nothing was changed. Stop the agent first, with systemctl stop auditail where it is a service',
  });
}

/**
 * What root makes in a state directory belongs to the owner of the directory: the agent runs as another user, and
 * could not open it. A link that stands there is given away itself: whoever owns the directory may put one there.
 */
class OwnFiles {
  readonly #directory: string;
  readonly #before: ReadonlySet<string>;

  constructor(directory: string) {
    this.#directory = directory;
    this.#before = new Set(existsSync(directory) ? readdirSync(directory) : []);
  }

  giveAway(): void {
    if (process.geteuid?.() !== 0) return;
    const { uid, gid } = statSync(this.#directory);
    for (const name of readdirSync(this.#directory)) {
      if (!this.#before.has(name)) lchownSync(path.join(this.#directory, name), uid, gid);
    }
  }
}
