import type { Database } from './database.ts';

/** Names of the sources that were ever started, sorted. */
export function knownSources(db: Database): string[] {
  return (db.prepare('SELECT name FROM sources ORDER BY name').all() as { name: string }[]).map(({ name }) => name);
}
