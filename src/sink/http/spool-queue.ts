import { errorCode } from '../../errors.ts';
import type { OutgoingBatch } from './outgoing-batch.ts';
import type { Spool } from './spool/spool.ts';

/** Pause before the spool is written again after a failure. */
const RETRY_MS = 5_000;

interface Waiting {
  readonly batch: OutgoingBatch;
  /** It is being sent from memory; the spool has it in case that never ends. */
  readonly isHeld: boolean;
}

export interface SpoolQueueDeps {
  readonly spool: () => Spool;
  /** The batch is on disk. */
  readonly stored: (batch: OutgoingBatch, isHeld: boolean) => void;
  /** What was to be written waits, and is tried again. */
  readonly failed: (error: unknown) => void;
  /** Milliseconds on any clock. */
  readonly now: () => number;
}

/** Batches on their way into the spool, in order. What finds no room, or cannot be written, stays here. */
export class SpoolQueue {
  readonly #deps: SpoolQueueDeps;
  #waiting: Waiting[] = [];
  #storing: Promise<void> | undefined;
  #retryAt: number | undefined;

  constructor(deps: SpoolQueueDeps) {
    this.#deps = deps;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#storing === undefined;
  }

  /** When {@link store} does something again after a failed write; undefined when none failed. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  add(batch: OutgoingBatch, isHeld: boolean): void {
    this.#waiting.push({ batch, isHeld });
  }

  /** The batch was delivered before it was written. */
  remove(batch: OutgoingBatch): void {
    this.#waiting = this.#waiting.filter((one) => one.batch !== batch);
  }

  /** Gives back what is not written and nobody sends, to be sent without it; nothing while a write is under way. */
  reclaim(): OutgoingBatch[] {
    if (this.#storing !== undefined) return [];
    const batches = this.#waiting.filter(({ isHeld }) => !isHeld).map(({ batch }) => batch);
    this.#waiting = [];
    return batches;
  }

  /** {@link storeNow}, but for a while after a failure. */
  async store(): Promise<void> {
    while (this.#storing !== undefined) await this.#storing;
    if (this.#retryAt === undefined || this.#deps.now() >= this.#retryAt) await this.storeNow();
  }

  /** Writes what waits, as far as there is room, with one sync for all of it. Never rejects. */
  async storeNow(): Promise<void> {
    while (this.#storing !== undefined) await this.#storing;
    this.#retryAt = undefined;
    this.#storing = this.#storeAll().finally(() => {
      this.#storing = undefined;
    });
    await this.#storing;
  }

  /** Waits for the write under way. */
  async settle(): Promise<void> {
    while (this.#storing !== undefined) await this.#storing;
  }

  async #storeAll(): Promise<void> {
    // The spool takes only so much between two syncs.
    for (let group = this.#append(); group.length > 0; group = this.#append()) {
      if (!(await this.#flush(group))) return;
    }
  }

  #append(): Waiting[] {
    const group: Waiting[] = [];
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { batch, isHeld } = next;
      try {
        batch.receipt = this.#deps.spool().append(batch.pending, { isHeld });
      } catch (error) {
        if (errorCode(error) !== 'SPOOL_FULL') this.#failed(error);
        break;
      }
      this.#waiting.shift();
      group.push(next);
    }
    return group;
  }

  /** Whether all of it is on disk. */
  async #flush(group: readonly Waiting[]): Promise<boolean> {
    const { spool, stored } = this.#deps;
    const flushed = await Promise.allSettled(group.map(({ batch }) => spool().flush(batch.receipt)));
    const back: Waiting[] = [];
    for (const [index, one] of group.entries()) {
      if (flushed[index]!.status === 'fulfilled') {
        stored(one.batch, one.isHeld);
        continue;
      }
      one.batch.receipt = undefined;
      // One that was delivered meanwhile has nothing left to write.
      if (one.batch.pending.length > 0) back.push(one);
    }
    const rejected = flushed.find((result) => result.status === 'rejected');
    if (rejected === undefined) return true;
    this.#waiting = [...back, ...this.#waiting];
    this.#failed(rejected.reason);
    return false;
  }

  #failed(error: unknown): void {
    this.#retryAt = this.#deps.now() + RETRY_MS;
    this.#deps.failed(error);
  }
}
