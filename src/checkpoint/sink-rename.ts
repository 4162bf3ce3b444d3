import { AuditailError } from '../errors.ts';
import type { Database } from './database.ts';
import { Settings } from './settings.ts';

const SETTING = 'sink_rename';

export interface SinkNames {
  readonly from: string;
  readonly to: string;
}

/**
 * A sink that is being renamed. Its directories and its dead letters cannot change their name in the transaction that
 * the state does, so the intention is stored first: until the last step is done the agent does not start, because it
 * would take the events of half of them for nobody's.
 */
export class SinkRename {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One that was begun and not finished. */
  get pending(): SinkNames | undefined {
    const value = new Settings(this.#db).get(SETTING);
    return value === undefined ? undefined : (JSON.parse(value) as SinkNames);
  }

  /** @throws AuditailError `SINK_RENAME` when one was begun and not finished */
  assertNone(): void {
    const { pending } = this;
    if (pending === undefined) return;
    throw new AuditailError('SINK_RENAME', `the sink ${pending.from} was not renamed to its end`, {
      hint: `Finish it with: auditail offsets rename-sink -c FILE ${pending.from} ${pending.to}`,
    });
  }

  begin({ from, to }: SinkNames): void {
    new Settings(this.#db).set(SETTING, JSON.stringify({ from, to }));
  }

  /** Renames what the state database has, and ends the renaming, in one transaction. */
  finish({ from, to }: SinkNames): void {
    this.#db
      .transaction(() => {
        for (const table of ['offsets', 'archives', 'spools']) {
          this.#db.prepare(`UPDATE ${table} SET sink = ? WHERE sink = ?`).run(to, from);
        }
        this.#db.prepare('DELETE FROM settings WHERE name = ?').run(SETTING);
      })
      .immediate();
  }
}
