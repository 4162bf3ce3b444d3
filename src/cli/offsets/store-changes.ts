import type { Database } from '../../checkpoint/database.ts';
import { storePlaces } from '../../checkpoint/place-records.ts';
import type { PartChange } from './place-part.ts';

/** What becomes of a file, and where it belongs. */
export interface FileChange extends PartChange {
  readonly source: string;
  /** Path of the live file. */
  readonly stream: string;
  /** Why it is placed there; empty where that needs no words. */
  readonly why: string;
}

/** Stores all of it in one durable transaction. */
export function storeChanges(db: Database, changes: readonly FileChange[]): void {
  const bySource = Map.groupBy(changes, ({ source }) => source);
  const sources = [...bySource].map(([source, files]) => ({
    source,
    streams: [...Map.groupBy(files, ({ stream }) => stream)].map(([path, parts]) => ({
      path,
      segments: parts.flatMap(({ place }) => place ?? []),
    })),
  }));
  storePlaces(db, sources, Date.now());
}

/** Bytes that a sink gets once more, and that it will never get, by a change. */
export function effectOf({ before, after }: PartChange['sinks'][number]): { again: number; skipped: number } {
  return { again: Math.max(0, before - after), skipped: Math.max(0, after - before) };
}
