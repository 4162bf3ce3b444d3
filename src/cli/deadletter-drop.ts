import { DeadLetterStore } from '../checkpoint/dead-letter-store.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/types.ts';
import { AuditailError } from '../errors.ts';
import type { Command, ExitCode } from './command.ts';
import { CONFIG_OPTION, IDS_OPTION, SINK_OPTION } from './deadletter/letter-options.ts';
import { lettersById, selectSinks } from './deadletter/letter-sinks.ts';
import { counted } from './format/quantity.ts';

interface DropOptions {
  readonly config: string;
  readonly sink?: string;
  readonly id?: readonly string[];
  readonly all?: true;
}

export const deadletterDrop: Command<DropOptions> = {
  name: 'deadletter drop',
  summary: 'delete dead letters for good',
  description:
    'Deletes dead letters: the named ones, or with --all every one (of one sink with --sink). An archive that the events ' +
    'also went to keeps them. The agent may run meanwhile.',
  example:
    'auditail deadletter drop -c /etc/auditail/auditail.yaml --id 17 18\n' +
    'auditail deadletter drop -c auditail.yaml --sink es --all',
  options: [CONFIG_OPTION, SINK_OPTION, IDS_OPTION, { flags: '--all', description: 'all letters' }],
  async handler({ options, terminal }): Promise<ExitCode> {
    if ((options.id === undefined) === (options.all === undefined)) {
      throw new AuditailError('USAGE', 'deadletter drop needs either --id with the ids of letters, or --all');
    }
    const config = loadConfig(options.config, { env: terminal.env });
    const dropped = drop(config, options);
    terminal.stdout.write(`dropped ${counted(dropped, 'dead letter')}\n`);
    return 0;
  },
};

function drop(config: Config, { sink, id }: DropOptions): number {
  const store = DeadLetterStore.openExisting(config.stateDir, config.commit.durability);
  try {
    const sinks = selectSinks(config, store, sink);
    if (store === undefined) return 0;
    if (id === undefined) return sinks.reduce((sum, name) => sum + store.removeAll(name), 0);
    return store.remove(lettersById(store, id, sinks).map((letter) => letter.id));
  } finally {
    store?.close();
  }
}
