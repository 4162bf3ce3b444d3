import type { Database } from './database.ts';

/** How far a spool was delivered: a segment of it, by its number, and the offset in that file. */
export interface SpoolPlace {
  readonly segment: number;
  readonly offset: number;
}

/** The table `spools`. {@link save} is for the commit's transaction. */
export class SpoolRecords {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Undefined: nothing of this sink's spool was ever delivered. */
  acknowledged(sink: string): SpoolPlace | undefined {
    return this.#db.prepare('SELECT segment, offset FROM spools WHERE sink = ?').get(sink) as SpoolPlace | undefined;
  }

  save(sink: string, { segment, offset }: SpoolPlace): void {
    this.#db
      .prepare(
        `INSERT INTO spools (sink, segment, offset) VALUES (?, ?, ?)
         ON CONFLICT (sink) DO UPDATE SET segment = excluded.segment, offset = excluded.offset`,
      )
      .run(sink, segment, offset);
  }
}
