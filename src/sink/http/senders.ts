import type { Clock } from './clock.ts';
import type { OutgoingBatch } from './outgoing-batch.ts';

export interface SendersDeps {
  /** Requests in flight. */
  readonly concurrency: number;
  /** The next batch when none waits in memory; undefined when there is none at all. */
  readonly next: () => Promise<OutgoingBatch | undefined>;
  /** Sends until every event of the batch is delivered or a dead letter. Rejects only when the signal aborts it. */
  readonly deliver: (batch: OutgoingBatch, signal: AbortSignal) => Promise<void>;
  readonly delivered: (batch: OutgoingBatch) => void;
  /** A sender broke, which none of the above should do to it. Its batch stays in {@link Senders.sending}. */
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
}

/** Takes batches one after another and sends them, several at a time. */
export class Senders {
  /** Those that are being sent, in the order in which they were taken. */
  readonly sending = new Set<OutgoingBatch>();
  /** Those that wait for their turn. */
  #queue: OutgoingBatch[] = [];
  readonly #deps: SendersDeps;
  readonly #abort = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** One sender takes at a time: else the order of what comes from disk would be up to chance. */
  #taking: Promise<unknown> = Promise.resolve();
  #idle: (() => void)[] = [];
  #kicks = 0;
  #settled: () => void = () => undefined;

  constructor(deps: SendersDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: this.#deps.concurrency }, () => this.#work()));
  }

  /** The batch that has been in memory for the longest time. */
  get oldest(): OutgoingBatch | undefined {
    for (const batch of this.sending) return batch;
    return this.#queue[0];
  }

  add(...batches: readonly OutgoingBatch[]): void {
    this.#queue.push(...batches);
    this.kick();
  }

  /** Those that nobody sends yet; they are the caller's then. */
  takeBack(): OutgoingBatch[] {
    const queue = this.#queue;
    this.#queue = [];
    return queue;
  }

  /** Waits until nothing is in memory, but no longer than that. */
  async settle(graceMs: number): Promise<void> {
    if (this.oldest === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settled = resolve;
    const cancel = this.#deps.clock.after(graceMs, resolve);
    await promise;
    cancel();
  }

  /** There may be a batch to take. */
  kick(): void {
    this.#kicks += 1;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  /** Ends requests in flight; what they held stays pending in {@link sending}. May be repeated. */
  async stop(): Promise<void> {
    this.#abort.abort(new Error('the sink is stopping'));
    this.kick();
    await this.#running;
  }

  async #work(): Promise<void> {
    const { signal } = this.#abort;
    try {
      while (!signal.aborted) {
        const kicks = this.#kicks;
        const batch = await this.#take();
        if (batch !== undefined) await this.#send(batch, signal);
        else if (kicks === this.#kicks) await new Promise<void>((resolve) => this.#idle.push(resolve));
      }
    } catch (error) {
      if (!signal.aborted) this.#deps.failed(error);
    }
  }

  #take(): Promise<OutgoingBatch | undefined> {
    const taken = this.#taking.then(async () => {
      if (this.#abort.signal.aborted) return undefined;
      const batch = this.#queue.shift() ?? (await this.#deps.next());
      if (batch !== undefined) this.sending.add(batch);
      return batch;
    });
    this.#taking = taken.catch(() => undefined);
    return taken;
  }

  async #send(batch: OutgoingBatch, signal: AbortSignal): Promise<void> {
    await this.#deps.deliver(batch, signal);
    this.sending.delete(batch);
    this.#deps.delivered(batch);
    if (this.oldest === undefined) this.#settled();
  }
}
