import type { HttpOccurrences } from '../../telemetry/http-occurrences.ts';
import type { Batch } from './batch.ts';
import type { Clock } from './clock.ts';
import type { Spool } from './spool/spool.ts';

/** What an HTTP sink is given to work with. */
export interface HttpSinkDeps {
  /** Sends until every event of the batch is delivered or a dead letter. Rejects only when the signal aborts it. */
  readonly deliver: (batch: Batch, signal: AbortSignal) => Promise<void>;
  /** What earlier runs left in the spool, and what this one puts there. */
  readonly openSpool: () => Promise<Spool>;
  readonly occurrences: HttpOccurrences;
  /** Bytes that it may hold in memory, to begin with. */
  readonly share: number;
  readonly clock: Clock;
  /** There is room again, or something was taken: the agent's loop has something to look at. */
  readonly wake: () => void;
  /** Lets go of connections. */
  readonly close: () => Promise<void>;
}
