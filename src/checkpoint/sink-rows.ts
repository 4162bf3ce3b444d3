import type { Database } from './database.ts';

/** How much of one sink the state database has. */
export interface SinkRows {
  /** Files of logs in which it has a place. */
  readonly offsets: number;
  /** Files of its archive. */
  readonly archives: number;
  /** Whether anything of its spool was delivered. */
  readonly spools: number;
}

const TABLES = ['offsets', 'archives', 'spools'] as const;

export function sinkRows(db: Database, sink: string): SinkRows {
  const count = (table: (typeof TABLES)[number]) =>
    db.prepare(`SELECT count(*) FROM ${table} WHERE sink = ?`).pluck().get(sink) as number;
  return { offsets: count('offsets'), archives: count('archives'), spools: count('spools') };
}

/** Forgets all of it in one transaction. The files of its archive stay where they are. */
export function deleteSinkRows(db: Database, sink: string): void {
  db.transaction(() => {
    for (const table of TABLES) db.prepare(`DELETE FROM ${table} WHERE sink = ?`).run(sink);
  }).immediate();
}
