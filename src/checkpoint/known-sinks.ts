import type { Database } from './database.ts';

/** Names of the sinks that the state database holds positions or files of, sorted. */
export function knownSinks(db: Database): string[] {
  const rows = db.prepare('SELECT sink FROM offsets UNION SELECT sink FROM archives ORDER BY sink').all();
  return (rows as { sink: string }[]).map(({ sink }) => sink);
}
