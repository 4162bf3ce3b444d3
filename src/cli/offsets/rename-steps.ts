import { existsSync, renameSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import type { Database } from '../../checkpoint/database.ts';
import { DeadLetterStore } from '../../checkpoint/dead-letter-store.ts';
import { type SinkNames, SinkRename } from '../../checkpoint/sink-rename.ts';
import { syncDirectory } from '../../checkpoint/sync-directory.ts';
import { cutDirectory, namesIn, spoolDirectory } from './sink-facts.ts';

/**
 * Renames a sink, in steps of which each is durable and may be repeated. After the first and before the last the agent
 * refuses to start: the sink's events would be in one half and its places in the other. Whoever dies in between does all
 * steps again.
 */
export function renameSteps(stateDir: string, db: Database, names: SinkNames): readonly (() => void)[] {
  const { from, to } = names;
  const rename = new SinkRename(db);
  return [
    () => rename.begin(names),
    () => moveDirectory(spoolDirectory(stateDir, from), spoolDirectory(stateDir, to)),
    () => moveDirectory(cutDirectory(stateDir, from), cutDirectory(stateDir, to)),
    () => renameLetters(stateDir, names),
    () => rename.finish(names),
  ];
}

/** Nothing is done where `from` is not there: it was moved already, or there never was one. */
function moveDirectory(from: string, to: string): void {
  if (!existsSync(from)) return;
  // One that the agent made for a sink that never had anything.
  if (existsSync(to) && namesIn(to).length === 0) rmdirSync(to);
  renameSync(from, to);
  syncDirectory(path.dirname(to));
}

function renameLetters(stateDir: string, { from, to }: SinkNames): void {
  const store = DeadLetterStore.openExisting(stateDir, 'disk');
  try {
    store?.rename(from, to);
  } finally {
    store?.close();
  }
}
