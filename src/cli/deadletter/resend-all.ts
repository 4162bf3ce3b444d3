import type { DeadLetterStore } from '../../checkpoint/dead-letter-store.ts';
import type { Config, HttpSinkConfig } from '../../config/types.ts';
import { AuditailError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { counted } from '../format/quantity.ts';
import type { Terminal } from '../terminal.ts';
import { httpSinks, letterIds, lettersById, selectSinks } from './letter-sinks.ts';
import { type Connection, resendLetters } from './resend-letters.ts';

/**
 * Sends the letters that are meant, sink by sink, and prints what became of them. Gives whether all of them were delivered.
 *
 * @throws AuditailError `USAGE` and `DEADLETTER_UNKNOWN` for what is not there, `DEADLETTER_AWAY` when a receiver takes
 * nothing now, `INTERRUPTED` when the signal was aborted
 */
export async function resendAll(given: {
  readonly config: Config;
  readonly store: DeadLetterStore | undefined;
  /** Only letters of this sink. */
  readonly sink?: string;
  /** Only these letters. */
  readonly id?: readonly string[];
  readonly terminal: Terminal;
  readonly connect: (sink: HttpSinkConfig) => Connection;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const { config, store, terminal, signal } = given;
  const sinks = selectSinks(config, store, given.sink);
  let staying = 0;
  for (const [name, ids] of store === undefined ? [] : lettersToSend(store, sinks, given.id)) {
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
  return staying === 0;
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
