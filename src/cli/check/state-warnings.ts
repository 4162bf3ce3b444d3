import { existsSync } from 'node:fs';
import { openDatabaseReadOnly, statePath } from '../../checkpoint/database.ts';
import { knownSinks } from '../../checkpoint/known-sinks.ts';
import type { Config } from '../../config/types.ts';
import { describeError } from '../../errors.ts';
import type { Warning } from './warning.ts';

/**
 * What the state database knows and the configuration does not.
 *
 * @param file the configuration, as commands name it
 */
export function stateWarnings(config: Config, file: string): Warning[] {
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
  const named = config.sinks.map(({ name }) => name);
  const added = named.filter((name) => !known.includes(name));
  // Where one name has gone and one has come, it is the same sink as a rule.
  const newName = added.length === 1 ? added[0]! : 'NEW';
  return known
    .filter((name) => !named.includes(name))
    .map((name) => ({
      path: ['sinks'],
      message:
        `the state database holds positions of a sink ${name} that no sink is named for; if it was renamed, its new name ` +
        `starts from nothing unless you run: auditail offsets rename-sink -c ${file} ${name} ${newName}; ` +
        `if it is no more: auditail offsets forget-sink -c ${file} ${name}`,
    }));
}
