import type { DeadLetterStore, KeptLetter } from '../../checkpoint/dead-letter-store.ts';
import type { HttpSinkConfig } from '../../config/types.ts';
import type { Format } from '../../sink/http/format.ts';
import { type Transport, TransportError } from '../../sink/http/transport.ts';
import type { Verdict } from '../../sink/http/verdict.ts';

/** How a sink sends: its format, and its connections. */
export interface Connection {
  readonly format: Format;
  readonly transport: Transport;
}

export interface Resent {
  readonly delivered: number;
  /** Rejected once more; they stay, with the new reason. */
  readonly rejected: number;
  /** Why the receiver takes nothing now. All letters that are not counted above stay as they are. */
  readonly away: string | undefined;
}

/**
 * Sends letters of one sink once more, in batches as the sink makes them. After each answer the letters that it settled
 * are removed or changed in the store, so that whatever ends this loses none. Ends early when the receiver takes nothing
 * for the moment, or the signal is aborted.
 */
export async function resendLetters(options: {
  readonly store: DeadLetterStore;
  readonly ids: Iterable<number>;
  readonly batch: HttpSinkConfig['batch'];
  readonly connection: Connection;
  readonly signal: AbortSignal;
}): Promise<Resent> {
  const { store, connection, signal } = options;
  let delivered = 0;
  let rejected = 0;
  for (const batch of batches(store, options.ids, options.batch)) {
    const parts = [batch];
    for (let part = parts.shift(); part !== undefined && !signal.aborted; part = parts.shift()) {
      const { verdicts, reason } = await attempt(connection, part, signal);
      const of = (kind: Verdict['kind']) => part!.filter((_letter, index) => verdicts[index]?.kind === kind);
      delivered += store.remove(of('delivered').map(({ id }) => id));
      const refused = part.length === 1 ? [...of('rejected'), ...of('split')] : of('rejected');
      for (const { id } of refused) store.rejectedAgain(id, reason(part.findIndex((letter) => letter.id === id)));
      rejected += refused.length;
      const later = part.findIndex((_letter, index) => isLater(verdicts[index]));
      if (later >= 0) return { delivered, rejected, away: reason(later) };
      if (part.length > 1) parts.unshift(...halves(of('split')));
    }
    if (signal.aborted) break;
  }
  return { delivered, rejected, away: undefined };
}

/** One request. That no answer came is a verdict too. */
async function attempt(
  { format, transport }: Connection,
  letters: readonly KeptLetter[],
  signal: AbortSignal,
): Promise<{ verdicts: readonly Verdict[]; reason: (index: number) => string }> {
  const events = letters.map(({ event }) => event);
  let verdicts: readonly Verdict[];
  try {
    verdicts = format.judge(await transport.send(format.encode(events), signal), events);
  } catch (error) {
    // Nobody knows whether the receiver has them: they stay.
    if (signal.aborted) return { verdicts: [], reason: String };
    if (!(error instanceof TransportError)) throw error;
    const verdict: Verdict = { kind: 'retry', reason: error.message };
    verdicts = events.map(() => verdict);
  }
  return {
    verdicts,
    reason: (index) => {
      const verdict = verdicts[index];
      return verdict === undefined || verdict.kind === 'delivered' ? 'the answer says nothing of it' : verdict.reason;
    },
  };
}

function isLater(verdict: Verdict | undefined): boolean {
  return verdict?.kind === 'retry' || verdict?.kind === 'blocked';
}

function* batches(
  store: DeadLetterStore,
  ids: Iterable<number>,
  limits: HttpSinkConfig['batch'],
): Generator<readonly KeptLetter[]> {
  let batch: KeptLetter[] = [];
  let bytes = 0;
  for (const id of ids) {
    const letter = store.get(id);
    // Dropped, or sent by somebody else, since the ids were looked up.
    if (letter === undefined) continue;
    const { length } = letter.event.line;
    if (batch.length > 0 && (batch.length >= limits.events || bytes + length > limits.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(letter);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}

function halves(letters: readonly KeptLetter[]): (readonly KeptLetter[])[] {
  const middle = Math.ceil(letters.length / 2);
  return [letters.slice(0, middle), letters.slice(middle)].filter(({ length }) => length > 0);
}
