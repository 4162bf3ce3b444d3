import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where a run keeps its things. */
export interface Places {
  readonly state: string;
  /** The live file. */
  readonly log: string;
  readonly archive: string;
  /** The writer's, of hashes. */
  readonly ledger: string;
}

/** Makes the directories for a run in an empty one. */
export function makePlaces(directory: string): Places {
  for (const name of ['state', 'log', 'archive']) mkdirSync(join(directory, name), { mode: 0o700 });
  return {
    state: join(directory, 'state'),
    log: join(directory, 'log', 'audit.log'),
    archive: join(directory, 'archive'),
    ledger: join(directory, 'ledger'),
  };
}
