import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Database } from '../../checkpoint/database.ts';
import { DeadLetterStore } from '../../checkpoint/dead-letter-store.ts';
import { type SinkRows, sinkRows } from '../../checkpoint/sink-rows.ts';
import { SpoolRecords } from '../../checkpoint/spool-records.ts';
import { errorCode } from '../../errors.ts';
import { nodeFileIo } from '../../sink/file-io.ts';
import { scanSegment } from '../../sink/http/spool/segment-scan.ts';
import { SpoolDirectory } from '../../sink/http/spool/spool-directory.ts';

/** Everything in a state directory that carries a sink's name. */
export interface SinkFacts {
  readonly rows: SinkRows;
  /** Events in its spool that its receiver has not taken. */
  readonly spooled: number;
  readonly letters: number;
  /** Files in its spool's directory, and of cut-off tails of its archive. */
  readonly spoolFiles: number;
  readonly cutFiles: number;
}

export function spoolDirectory(stateDir: string, sink: string): string {
  return path.join(stateDir, 'spool', sink);
}

export function cutDirectory(stateDir: string, sink: string): string {
  return path.join(stateDir, 'cut', sink);
}

/** Looks at what there is of a sink; changes nothing. */
export async function sinkFacts(stateDir: string, db: Database, sink: string): Promise<SinkFacts> {
  const letters = DeadLetterStore.openReadOnly(stateDir);
  try {
    return {
      rows: sinkRows(db, sink),
      spooled: await spooledEvents(stateDir, db, sink),
      letters: letters?.total(sink).events ?? 0,
      spoolFiles: namesIn(spoolDirectory(stateDir, sink)).length,
      cutFiles: namesIn(cutDirectory(stateDir, sink)).length,
    };
  } finally {
    letters?.close();
  }
}

/** Whether there is nothing of it. Directories without files are nothing. */
export function isUnknown({ rows, letters, spoolFiles, cutFiles }: SinkFacts): boolean {
  return rows.offsets + rows.archives + rows.spools + letters + spoolFiles + cutFiles === 0;
}

/** An empty list where there is no such directory. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Counts what the next start would send, as it would find it. */
async function spooledEvents(stateDir: string, db: Database, sink: string): Promise<number> {
  const path = spoolDirectory(stateDir, sink);
  if (namesIn(path).length === 0) return 0;
  const directory = new SpoolDirectory(path, nodeFileIo, 'process');
  const place = new SpoolRecords(db).acknowledged(sink);
  const { segments } = await directory.list();
  let events = 0;
  for (const segment of segments) {
    if (place !== undefined && segment.number < place.segment) continue;
    const from = segment.number === place?.segment ? place.offset : 0;
    const mayBeTorn = segment === segments.at(-1);
    events += (await scanSegment(directory, segment, { from, end: segment.size, mayBeTorn })).events;
  }
  return events;
}
