import { existsSync } from 'node:fs';
import { openDatabaseReadOnly, statePath } from '../../checkpoint/database.ts';
import { knownSinks } from '../../checkpoint/known-sinks.ts';
import type { Config } from '../../config/types.ts';
import { describeError } from '../../errors.ts';
import type { Warning } from './warning.ts';

/** What the state database knows and the configuration does not. */
export function stateWarnings(config: Config): Warning[] {
  if (!existsSync(statePath(config.stateDir))) return [];
  let known: string[];
  try {
    const db = openDatabaseReadOnly(config.stateDir);
    try {
      known = knownSinks(db);
    } finally {
      db.close();
    }
  } catch (error) {
    return [{ path: ['state_dir'], message: describeError(error) }];
  }
  const named = new Set(config.sinks.map(({ name }) => name));
  return known
    .filter((name) => !named.has(name))
    .map((name) => ({
      path: ['sinks'],
      message: `the state database holds positions of a sink ${name} that no sink is named for; if it was renamed, its new name starts from nothing`,
    }));
}
