import { existsSync } from 'node:fs';
import { openDatabaseReadOnly, statePath } from '../../checkpoint/database.ts';
import { knownSinks } from '../../checkpoint/known-sinks.ts';
import { knownSources } from '../../checkpoint/known-sources.ts';
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
  let sources: string[];
  try {
    const db = openDatabaseReadOnly(config.stateDir);
    try {
      known = knownSinks(db);
      sources = knownSources(db);
    } finally {
      db.close();
    }
  } catch (error) {
    return [{ path: ['state_dir'], message: describeError(error) }];
  }
  return [...sinkWarnings(config, known, file), ...sourceWarnings(config, sources)];
}

function sinkWarnings(config: Config, known: readonly string[], file: string): Warning[] {
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

/** Only while a source is new: afterwards it is too late, and nothing is to be done. */
function sourceWarnings(config: Config, known: readonly string[]): Warning[] {
  const named = config.sources.map(({ name }) => name);
  const added = named.filter((name) => !known.includes(name));
  if (added.length === 0) return [];
  return known
    .filter((name) => !named.includes(name))
    .map((name) => ({
      path: ['sources'],
      message:
        `the state database holds places of a source ${name} that the configuration does not name, and ${added.join(', ')} is ` +
        'new: if it is the same one, give it its old name, or all that is there of its logs is read again',
    }));
}
