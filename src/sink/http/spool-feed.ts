import { memoryOf, type OutgoingBatch } from './outgoing-batch.ts';
import type { Spool } from './spool/spool.ts';

/** Pause before the spool is read again after a failure. */
const RETRY_MS = 5_000;

export interface SpoolFeedDeps {
  readonly spool: () => Spool;
  readonly limits: { readonly events: number; readonly bytes: number };
  /** The spool cannot be read now. */
  readonly failed: (error: unknown) => void;
  /** Milliseconds on any clock. */
  readonly now: () => number;
}

/** Batches on their way out of the spool. */
export class SpoolFeed {
  readonly #deps: SpoolFeedDeps;
  #retryAt: number | undefined;

  constructor(deps: SpoolFeedDeps) {
    this.#deps = deps;
  }

  /** When it is worth to ask again after a failed read; undefined when none failed. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  /** There is no need to wait for that any longer. */
  endPause(): void {
    this.#retryAt = undefined;
  }

  /** The next events that nobody sends; undefined when there are none, or they cannot be read now. Never rejects. */
  async next(): Promise<OutgoingBatch | undefined> {
    const { spool, limits, now, failed } = this.#deps;
    try {
      const read = await spool().read(limits);
      if (read === undefined) return undefined;
      const { events, receipt } = read;
      return { pending: events, bytes: memoryOf(events), since: now(), entry: undefined, receipt };
    } catch (error) {
      this.#retryAt = now() + RETRY_MS;
      failed(error);
      return undefined;
    }
  }
}
