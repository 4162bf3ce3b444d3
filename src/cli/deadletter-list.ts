import { DeadLetterStore, type KeptLetter } from '../checkpoint/dead-letter-store.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Command, ExitCode } from './command.ts';
import { CONFIG_OPTION, parsePositive, SINK_OPTION } from './deadletter/letter-options.ts';
import { letterJson, letterTable } from './deadletter/letter-report.ts';
import { httpSinks, letterIds, selectSinks } from './deadletter/letter-sinks.ts';
import type { Terminal } from './terminal.ts';

/** Letters of each sink in a table for people. Programs get all. */
const TABLE_LIMIT = 50;

interface ListOptions {
  readonly config: string;
  readonly sink?: string;
  readonly limit?: number;
  readonly json?: true;
}

export const deadletterList: Command<ListOptions> = {
  name: 'deadletter list',
  summary: 'show the events that receivers rejected',
  description:
    'Shows the dead letters: events that the receiver of an HTTP sink will never take, each with the reason that it ' +
    'gave last and the place of its line in the log, oldest first. It only looks, also beside a running agent.',
  example:
    'auditail deadletter list -c /etc/auditail/auditail.yaml\n' +
    "auditail deadletter list -c auditail.yaml --sink es --json | jq -r '.reason' | sort | uniq -c",
  options: [
    CONFIG_OPTION,
    SINK_OPTION,
    {
      flags: '--limit <n>',
      description: `letters of each sink to show (default: ${TABLE_LIMIT}, with --json all)`,
      parse: parsePositive,
    },
    { flags: '--json', description: 'print one JSON object a letter, with its line as raw or raw_base64' },
  ],
  async handler({ options, terminal }): Promise<ExitCode> {
    const config = loadConfig(options.config, { env: terminal.env });
    const store = DeadLetterStore.openReadOnly(config.stateDir);
    try {
      const sinks = selectSinks(config, store, options.sink);
      const configured = new Set(httpSinks(config).map(({ name }) => name));
      for (const sink of sinks) {
        if (store !== undefined) printSink(store, sink, configured.has(sink), options, terminal);
      }
      const isEmpty = store === undefined || sinks.every((sink) => store.total(sink).events === 0);
      if (isEmpty && options.json !== true) terminal.stdout.write('there are no dead letters\n');
    } finally {
      store?.close();
    }
    return 0;
  },
};

function printSink(
  store: DeadLetterStore,
  sink: string,
  isConfigured: boolean,
  options: ListOptions,
  terminal: Terminal,
): void {
  if (options.json === true) {
    for (const letter of lettersOf(store, sink, options.limit)) {
      terminal.stdout.write(`${JSON.stringify(letterJson(letter))}\n`);
    }
    return;
  }
  const total = store.total(sink);
  if (total.events === 0) return;
  const rows: KeptLetter[] = [];
  for (const letter of lettersOf(store, sink, options.limit ?? TABLE_LIMIT)) {
    // The table shows no lines, which may be large.
    rows.push({ ...letter, event: { ...letter.event, line: Buffer.alloc(0) } });
  }
  terminal.stdout.write(letterTable(total, rows, { isConfigured, terminal }));
}

function* lettersOf(store: DeadLetterStore, sink: string, limit = Number.POSITIVE_INFINITY): Generator<KeptLetter> {
  let count = 0;
  for (const id of letterIds(store, sink)) {
    const letter = store.get(id);
    if (letter === undefined) continue;
    yield letter;
    count += 1;
    if (count >= limit) return;
  }
}
