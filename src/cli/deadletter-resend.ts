import { DeadLetterStore } from '../checkpoint/dead-letter-store.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Config, HttpSinkConfig } from '../config/types.ts';
import { AuditailError } from '../errors.ts';
import type { Command, ExitCode } from './command.ts';
import { CONFIG_OPTION, IDS_OPTION, SINK_OPTION } from './deadletter/letter-options.ts';
import { httpSinks, letterIds, lettersById, selectSinks } from './deadletter/letter-sinks.ts';
import { type Connection, resendLetters } from './deadletter/resend-letters.ts';
import { printable } from './format/printable.ts';
import { counted } from './format/quantity.ts';
import type { Terminal } from './terminal.ts';

interface ResendOptions {
  readonly config: string;
  readonly sink?: string;
  readonly id?: readonly string[];
}

/** `connect` gives a sink's own format and connections; the transport is closed here. */
export function deadletterResend(connect: (sink: HttpSinkConfig) => Connection): Command<ResendOptions> {
  return {
    name: 'deadletter resend',
    summary: 'send dead letters once more',
    description:
      'Sends dead letters once more, as their sinks are configured now, after what they were rejected for was mended. ' +
      'What is delivered is removed, what is rejected again stays with the new reason. It ends when the receiver takes ' +
      'nothing for the moment, and loses nothing when it is interrupted. Exit code 1: some letters were not delivered. ' +
      'The agent may run meanwhile.',
    example:
      'auditail deadletter resend -c /etc/auditail/auditail.yaml\n' +
      'auditail deadletter resend -c auditail.yaml --sink es --id 17 18',
    options: [CONFIG_OPTION, SINK_OPTION, IDS_OPTION],
    async handler({ options, terminal }): Promise<ExitCode> {
      const config = loadConfig(options.config, { env: terminal.env });
      const store = DeadLetterStore.openExisting(config.stateDir, config.commit.durability);
      const stop = new AbortController();
      const interrupt = () => stop.abort();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
      try {
        return await resend({ config, store, options, terminal, connect, signal: stop.signal });
      } finally {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
        store?.close();
      }
    },
  };
}

async function resend(given: {
  readonly config: Config;
  readonly store: DeadLetterStore | undefined;
  readonly options: ResendOptions;
  readonly terminal: Terminal;
  readonly connect: (sink: HttpSinkConfig) => Connection;
  readonly signal: AbortSignal;
}): Promise<ExitCode> {
  const { config, store, options, terminal, signal } = given;
  const sinks = selectSinks(config, store, options.sink);
  let staying = 0;
  for (const [name, ids] of store === undefined ? [] : lettersToSend(store, sinks, options.id)) {
    const sink = httpSinks(config).find((one) => one.name === name);
    if (sink === undefined) {
      staying += 1;
      const hint = 'name it in the configuration again, or drop them';
      terminal.stdout.write(`${name}: its letters stay, because the configuration does not name this sink; ${hint}\n`);
      continue;
    }
    staying += await resendTo(sink, ids, { ...given, store: store! });
    if (signal.aborted) throw new AuditailError('INTERRUPTED', 'interrupted: what was not delivered is kept');
  }
  if (sinks.length === 0 || store === undefined) terminal.stdout.write('there are no dead letters\n');
  return staying === 0 ? 0 : 1;
}

/** Gives how many letters were rejected again. */
async function resendTo(
  sink: HttpSinkConfig,
  ids: Iterable<number>,
  options: {
    readonly store: DeadLetterStore;
    readonly terminal: Terminal;
    readonly connect: (sink: HttpSinkConfig) => Connection;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { store, terminal, signal } = options;
  const connection = options.connect(sink);
  try {
    const { delivered, rejected, away } = await resendLetters({ store, ids, batch: sink.batch, connection, signal });
    const again = rejected === 0 ? '' : `, ${rejected} rejected again`;
    terminal.stdout.write(`${sink.name}: ${counted(delivered, 'dead letter')} delivered${again}\n`);
    if (away === undefined) return rejected;
    throw new AuditailError(
      'DEADLETTER_AWAY',
      `the receiver of the sink ${sink.name} takes no events now: ${printable(away)}`,
      {
        hint: 'What was not delivered is kept: try again later',
      },
    );
  } finally {
    await connection.transport.close();
  }
}

/** The ids to send, by the name of their sink. */
function lettersToSend(
  store: DeadLetterStore,
  sinks: readonly string[],
  ids: readonly string[] | undefined,
): Map<string, Iterable<number>> {
  if (ids === undefined) return new Map(sinks.map((sink) => [sink, letterIds(store, sink)]));
  const bySink = Map.groupBy(lettersById(store, ids, sinks), ({ sink }) => sink);
  return new Map([...bySink].map(([sink, letters]) => [sink, letters.map(({ id }) => id)]));
}
