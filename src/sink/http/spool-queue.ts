import type { EventSpool } from './event-spool.ts';
import type { OutgoingBatch } from './outgoing-batch.ts';

interface Waiting {
  readonly batch: OutgoingBatch;
  /** It is being sent from memory; the spool has it in case that never ends. */
  readonly held: boolean;
}

export interface SpoolQueueDeps {
  readonly spool: () => EventSpool;
  /** The batch is on disk. */
  readonly stored: (batch: OutgoingBatch, held: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** Batches on their way into the spool, in order. What cannot be written stays here and is tried again. */
export class SpoolQueue {
  readonly #deps: SpoolQueueDeps;
  #waiting: Waiting[] = [];
  #storing: Promise<void> | undefined;

  constructor(deps: SpoolQueueDeps) {
    this.#deps = deps;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#storing === undefined;
  }

  add(batch: OutgoingBatch, held: boolean): void {
    this.#waiting.push({ batch, held });
  }

  /** Gives back what could not be written and nobody sends; undefined while a write is under way. */
  reclaim(): OutgoingBatch[] | undefined {
    if (this.#storing !== undefined) return undefined;
    const batches = this.#waiting.filter(({ held }) => !held).map(({ batch }) => batch);
    this.#waiting = [];
    return batches;
  }

  /** The batch was delivered before it was written. */
  remove(batch: OutgoingBatch): void {
    this.#waiting = this.#waiting.filter((one) => one.batch !== batch);
  }

  /** Writes what waits, with one sync for all of it. Whether all is on disk then. Never rejects. */
  async store(): Promise<boolean> {
    while (this.#storing !== undefined) await this.#storing;
    if (this.#waiting.length === 0) return true;
    let isStored = false;
    this.#storing = this.#write().then((result) => {
      isStored = result;
      this.#storing = undefined;
    });
    await this.#storing;
    return isStored && this.#waiting.length === 0;
  }

  async #write(): Promise<boolean> {
    const { stored, failed } = this.#deps;
    const spool = this.#deps.spool();
    const group = this.#waiting;
    this.#waiting = [];
    try {
      for (const { batch, held } of group) batch.receipt = spool.append(batch.pending, { held });
      await spool.flush();
    } catch (error) {
      for (const { batch } of group) batch.receipt = undefined;
      // Those that were delivered meanwhile have nothing left to write.
      this.#waiting = [...group.filter(({ batch }) => batch.pending.length > 0), ...this.#waiting];
      failed(error);
      return false;
    }
    for (const { batch, held } of group) stored(batch, held);
    return true;
  }
}
