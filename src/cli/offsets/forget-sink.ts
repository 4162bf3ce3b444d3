import { rmdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import type { Database } from '../../checkpoint/database.ts';
import { DeadLetterStore } from '../../checkpoint/dead-letter-store.ts';
import { deleteSinkRows } from '../../checkpoint/sink-rows.ts';
import { errorCode } from '../../errors.ts';
import { cutDirectory, namesIn, spoolDirectory } from './sink-facts.ts';

const SPOOL_FILE = '.spool';

/**
 * Removes everything that carries the sink's name, the state's own rows last: until they are gone, `check` tells of the
 * sink, and whoever is interrupted can do it again.
 *
 * @returns paths of what nothing deletes: tails that were cut off its archive, damaged files of its spool
 */
export function forgetSink(stateDir: string, db: Database, sink: string): string[] {
  const directories = [spoolDirectory(stateDir, sink), cutDirectory(stateDir, sink)];
  const kept = directories.flatMap((directory) => emptied(directory));
  const letters = DeadLetterStore.openExisting(stateDir, 'disk');
  try {
    letters?.removeAll(sink);
  } finally {
    letters?.close();
  }
  deleteSinkRows(db, sink);
  return kept;
}

function emptied(directory: string): string[] {
  const kept: string[] = [];
  const names = namesIn(directory);
  for (const name of names) {
    const file = path.join(directory, name);
    if (name.endsWith(SPOOL_FILE)) unlinkSync(file);
    else kept.push(file);
  }
  // Also one that was empty.
  if (kept.length === 0) removeDirectory(directory);
  return kept;
}

function removeDirectory(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
