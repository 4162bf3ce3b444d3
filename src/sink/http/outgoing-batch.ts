import type { Ledger, Pending } from '../../checkpoint/ledger.ts';
import type { HttpSinkConfig } from '../../config/types.ts';
import type { Batch } from './batch.ts';
import type { HttpEvent } from './http-event.ts';
import type { SpoolReceipt } from './spool/spool.ts';

/** What an event costs in memory besides its bytes: its object, its strings and its place in lists. */
export const EVENT_OVERHEAD_BYTES = 256;

/** A batch on its way, and what is told when it has arrived. */
export interface OutgoingBatch extends Batch {
  /** What it takes in memory. */
  readonly bytes: number;
  /** When its first event came. */
  readonly since: number;
  /** Its events in the ledger; undefined for those that come out of the spool, which were taken long ago. */
  readonly entry: Pending | undefined;
  /** Its events in the spool, once they are there. */
  receipt: SpoolReceipt | undefined;
}

/** Fills one batch after another. */
export class BatchBuilder {
  readonly #limits: HttpSinkConfig['batch'];
  readonly #ledger: Ledger;
  readonly #now: () => number;
  #events: HttpEvent[] = [];
  #entry: Pending | undefined;
  #bytes = 0;
  #since = 0;

  /** @param now milliseconds on any clock. */
  constructor(limits: HttpSinkConfig['batch'], ledger: Ledger, now: () => number) {
    this.#limits = limits;
    this.#ledger = ledger;
    this.#now = now;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  get isFull(): boolean {
    return this.#events.length >= this.#limits.events || this.#bytes >= this.#limits.bytes;
  }

  /** When the first event came; undefined when there is none. */
  get since(): number | undefined {
    return this.isEmpty ? undefined : this.#since;
  }

  /** When its age closes the batch; undefined when it is empty. */
  get dueAt(): number | undefined {
    return this.isEmpty ? undefined : this.#since + this.#limits.ageMs;
  }

  /** Whether the event would make the batch larger than a request may be: it is closed before that. */
  wouldOverflow(event: HttpEvent): boolean {
    return !this.isEmpty && this.#bytes + costOf(event) > this.#limits.bytes;
  }

  /** Adds an event of a segment, by its id; gives what it costs in memory. */
  add(event: HttpEvent, segment: number): number {
    if (this.#entry === undefined) {
      this.#entry = this.#ledger.open();
      this.#since = this.#now();
    }
    this.#ledger.add(this.#entry, segment, event.offset);
    this.#events.push(event);
    const cost = costOf(event);
    this.#bytes += cost;
    return cost;
  }

  take(): OutgoingBatch {
    const batch = {
      pending: this.#events,
      bytes: this.#bytes,
      since: this.#since,
      entry: this.#entry,
      receipt: undefined,
    };
    this.#events = [];
    this.#entry = undefined;
    this.#bytes = 0;
    return batch;
  }
}

/** Bytes that the events take in memory. */
export function memoryOf(events: readonly HttpEvent[]): number {
  return events.reduce((sum, event) => sum + costOf(event), 0);
}

function costOf({ line }: HttpEvent): number {
  return line.length + EVENT_OVERHEAD_BYTES;
}
