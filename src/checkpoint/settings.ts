import type { Database } from './database.ts';

/** The table `settings`: facts that outlive a run, by name. */
export class Settings {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(name: string): string | undefined {
    const row = this.#db.prepare('SELECT value FROM settings WHERE name = ?').get(name);
    return (row as { value: string } | undefined)?.value;
  }

  set(name: string, value: string): void {
    if (this.get(name) === value) return;
    this.#db.prepare('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)').run(name, value);
  }
}
