import { Ledger } from '../../checkpoint/ledger.ts';
import type { SpoolPlace } from '../../checkpoint/spool-records.ts';
import type { HttpSinkConfig } from '../../config/types.ts';
import type { HttpOccurrences } from '../../telemetry/http-occurrences.ts';
import type { Batch } from './batch.ts';
import { DueTimer } from './due-timer.ts';
import type { HttpEvent } from './http-event.ts';
import type { LineOrigin } from './line-origin.ts';
import { BatchBuilder, memoryOf, type OutgoingBatch } from './outgoing-batch.ts';
import { Senders } from './senders.ts';
import type { Spool } from './spool/spool.ts';
import { SpoolQueue } from './spool-queue.ts';
import { oversizeStub, wrapUnparsed } from './stand-in.ts';

/** Pause before the spool is written again after a failure. */
const SPOOL_RETRY_MS = 5_000;

export interface HttpSinkDeps {
  /** Sends until every event of the batch is delivered or a dead letter. Rejects only when the signal aborts it. */
  readonly deliver: (batch: Batch, signal: AbortSignal) => Promise<void>;
  /** What earlier runs left in the spool, and what this one puts there. */
  readonly openSpool: () => Promise<Spool>;
  readonly occurrences: HttpOccurrences;
  /** Bytes that it may hold in memory. */
  readonly share: number;
  readonly now: () => number;
  /** There is room again, or something was taken: the agent's loop has something to look at. */
  readonly wake: () => void;
  /** Lets go of connections. */
  readonly close: () => Promise<void>;
}

/**
 * Sends events to one receiver, at its own pace.
 *
 * `direct`: events are grouped in memory and sent. When the oldest has waited for `spool.after`, everything goes to the
 * spool and counts as taken; `spooling` lasts until the spool is sent to its end. A sink whose memory or spool is full
 * has no room: the agent reads on without it, and hands it the rest later.
 */
export class HttpSink {
  readonly ledger = new Ledger();
  /** Batches that were delivered, or became dead letters, in this run. */
  completed = 0;
  readonly #config: HttpSinkConfig;
  readonly #deps: HttpSinkDeps;
  readonly #builder: BatchBuilder;
  readonly #senders: Senders;
  readonly #unstored: SpoolQueue;
  readonly #timer: DueTimer;
  #openedSpool: Spool | undefined;
  #storedPlace: SpoolPlace | undefined;
  #isSpooling = false;
  /** The spool was full: it is sent to its end first, then the rest of the log, which needs no second copy on disk. */
  #isRefusing = false;
  #isStopping = true;
  #bytes = 0;
  #sourcesBehind = 0;
  #storeAgainAt: number | undefined;

  constructor(config: HttpSinkConfig, deps: HttpSinkDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#builder = new BatchBuilder(config.batch, this.ledger);
    this.#unstored = new SpoolQueue({
      spool: () => this.#spool,
      stored: (batch, isHeld) => this.#stored(batch, isHeld),
      failed: (error) => {
        deps.occurrences.spoolFailed(error);
        this.#storeAgainAt = deps.now() + SPOOL_RETRY_MS;
      },
    });
    this.#senders = new Senders({
      concurrency: config.concurrency,
      next: () => this.#next(),
      deliver: deps.deliver,
      delivered: (batch) => this.#delivered(batch),
    });
    const dueTimes = () => [this.#batchDueAt(), this.#spoolDueAt(), this.#storeAgainAt];
    this.#timer = new DueTimer(deps.now, dueTimes, () => this.#tick());
  }

  /** Begins to send, with what an earlier run left in the spool. */
  async start(): Promise<void> {
    this.#openedSpool = await this.#deps.openSpool();
    this.#isSpooling = !this.#spool.isEmpty;
    this.#isStopping = false;
    this.#senders.start();
  }

  get #spool(): Spool {
    if (this.#openedSpool === undefined) throw new Error('the sink was not started');
    return this.#openedSpool;
  }

  /** Whether it takes another chunk of lines. */
  get hasRoom(): boolean {
    if (this.#isStopping || this.#isRefusing || this.#bytes >= this.#deps.share) return false;
    if (!this.#isSpooling || this.#spool.hasRoom) return true;
    const { overflow, maxBytes } = this.#config.spool;
    this.#isRefusing = overflow === 'block' && this.#spool.bytes >= maxBytes;
    if (this.#isRefusing) this.#deps.occurrences.spoolFull(this.#spool.bytes);
    return false;
  }

  /** It has yet to be handed what other sinks have of a source, or has it now. */
  behind(isBehind: boolean): void {
    this.#sourcesBehind += isBehind ? 1 : -1;
    if (isBehind && this.#sourcesBehind === 1) this.#deps.occurrences.fellBehind();
    else if (this.#sourcesBehind === 0) this.#deps.occurrences.caughtUp();
  }

  /** Nothing is in memory or in the spool. */
  get isIdle(): boolean {
    return this.#bytes === 0 && this.#unstored.isEmpty && this.#spool.isEmpty;
  }

  /** Takes the line [start, end) of the buffer, which is reused after the call. `time` in milliseconds since the epoch. */
  append(tag: string, time: number, buffer: Buffer, start: number, end: number, origin: LineOrigin): void {
    const { unparsed } = origin;
    const line = buffer.subarray(start, end);
    this.#take(tag, time, unparsed === undefined ? Buffer.from(line) : wrapUnparsed(line, unparsed), origin);
  }

  /** A line of `length` bytes that is too long to be sent: the receiver is told where it is. */
  async beginLong(
    tag: string,
    time: number,
    origin: LineOrigin,
    length: number,
  ): Promise<{ write(): Promise<void>; end(): void }> {
    const place = { ...origin };
    return {
      write: async () => undefined,
      end: () => this.#take(tag, time, oversizeStub({ ...place, length }), { ...place, unparsed: 'too long' }),
    };
  }

  /** Brings what waits in memory for the spool to disk; with each commit, which then finds it taken at the next one. */
  async persist(): Promise<void> {
    if (this.#isSpooling && !this.#builder.isEmpty) this.#closeBatch();
    await this.#unstored.store();
    this.#deps.occurrences.queueSize(this.#bytes);
  }

  /** Up to where the spool was sent, for the commit to store; undefined when that is stored already. */
  spoolPlace(): SpoolPlace | undefined {
    const { place } = this.#spool;
    const stored = this.#storedPlace;
    return place?.segment === stored?.segment && place?.offset === stored?.offset ? undefined : place;
  }

  async spoolCommitted(place: SpoolPlace): Promise<void> {
    this.#storedPlace = place;
    await this.#spool.committed(place);
    // What found no room may have some now; where nothing more is read, no other commit would come to store it.
    if (!this.#isStopping) void this.#store();
  }

  /**
   * Takes no more, gives the receiver `graceMs` for what is in memory, and spools what is left. What cannot be spooled
   * stays in the log. May be repeated.
   */
  async drain(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#timer.stop();
    if (!this.#builder.isEmpty) this.#closeBatch();
    if (!this.#isSpooling) await this.#senders.settle(graceMs);
    await this.#senders.stop();
    const left = this.#isSpooling ? [] : [...this.#senders.sending, ...this.#senders.takeBack()];
    for (const batch of left) this.#unstored.add(batch, false);
    await this.#unstored.store();
  }

  /** Ends at once; what was not taken is read again at the next start. */
  async close(): Promise<void> {
    this.#isStopping = true;
    this.#timer.stop();
    await this.#senders.stop();
    await this.#openedSpool?.close().catch((error: unknown) => this.#deps.occurrences.spoolFailed(error));
    await this.#deps.close();
  }

  #take(tag: string, time: number, line: Buffer, { source, path, offset, segment, unparsed }: LineOrigin): void {
    if (unparsed !== undefined && this.#config.unparsed === 'skip') {
      this.#deps.occurrences.unparsedSkipped(1);
      return;
    }
    const event: HttpEvent = { tag, time, line, source, path, offset };
    if (this.#builder.wouldOverflow(event)) this.#closeBatch();
    const isFirst = this.#builder.isEmpty;
    this.#bytes += this.#builder.add(event, segment, this.#deps.now());
    if (this.#builder.isFull) this.#closeBatch();
    else if (isFirst) this.#timer.schedule();
  }

  #closeBatch(): void {
    const batch = this.#builder.take();
    if (this.#isSpooling) {
      this.#unstored.add(batch, false);
      void this.#store();
    } else {
      this.#senders.add(batch);
    }
    this.#timer.schedule();
  }

  async #store(): Promise<void> {
    if (this.#storeAgainAt !== undefined && this.#deps.now() < this.#storeAgainAt) return;
    this.#storeAgainAt = undefined;
    await this.#unstored.store();
    this.#timer.schedule();
  }

  #stored(batch: OutgoingBatch, isHeld: boolean): void {
    if (batch.entry !== undefined) this.ledger.taken(batch.entry);
    if (!isHeld) {
      this.#bytes -= batch.bytes;
      this.#senders.kick();
    }
    this.#deps.wake();
    this.#leaveSpool();
  }

  async #next(): Promise<OutgoingBatch | undefined> {
    const { batch: limits } = this.#config;
    if (!this.#isSpooling) return undefined;
    const read = await this.#spool.read({ events: limits.events, bytes: limits.bytes }).catch((error: unknown) => {
      this.#deps.occurrences.spoolFailed(error);
      setTimeout(() => this.#senders.kick(), SPOOL_RETRY_MS).unref();
      return undefined;
    });
    if (read === undefined) return this.#nextUnstored();
    const memory = memoryOf(read.events);
    this.#bytes += memory;
    return {
      pending: read.events,
      bytes: memory,
      since: this.#deps.now(),
      entry: undefined,
      receipt: read.receipt,
    };
  }

  /** The spool cannot be written and has nothing to send before: what waits for it goes to the receiver directly. */
  #nextUnstored(): OutgoingBatch | undefined {
    if (this.#storeAgainAt === undefined || !this.#spool.isEmpty) return undefined;
    const [first, ...others] = this.#unstored.reclaim() ?? [];
    this.#leaveSpool();
    this.#senders.add(...others);
    return first;
  }

  #delivered(batch: OutgoingBatch): void {
    this.completed += 1;
    this.#bytes -= batch.bytes;
    this.#unstored.remove(batch);
    if (batch.receipt !== undefined) this.#spool.acknowledge(batch.receipt);
    if (batch.entry !== undefined) this.ledger.taken(batch.entry);
    this.#leaveSpool();
    this.#deps.wake();
    this.#timer.schedule();
  }

  /** The receiver has not taken the oldest event in time: everything in memory goes to disk. */
  #enterSpool(): void {
    this.#isSpooling = true;
    this.#deps.occurrences.spooling(`an event was not taken within ${this.#config.spool.afterMs} ms`);
    for (const batch of this.#senders.sending) this.#unstored.add(batch, true);
    for (const batch of this.#senders.takeBack()) this.#unstored.add(batch, false);
    if (this.#builder.isEmpty) void this.#store();
    else this.#closeBatch();
  }

  #leaveSpool(): void {
    if (!this.#isSpooling || !this.#unstored.isEmpty || !this.#spool.isEmpty) return;
    this.#isSpooling = false;
    this.#isRefusing = false;
    this.#deps.occurrences.spoolDrained();
  }

  #tick(): void {
    const now = this.#deps.now();
    const isDue = (at: number | undefined) => at !== undefined && now >= at;
    if (isDue(this.#batchDueAt())) this.#closeBatch();
    if (isDue(this.#spoolDueAt())) this.#enterSpool();
    if (isDue(this.#storeAgainAt)) void this.#store();
  }

  /** On its way to disk a batch waits for the commit: a sync for each second would disturb the host's etcd. */
  #batchDueAt(): number | undefined {
    return this.#isSpooling ? undefined : this.#builder.dueAt;
  }

  #spoolDueAt(): number | undefined {
    if (this.#isSpooling) return undefined;
    const since = this.#senders.oldest?.since ?? this.#builder.since;
    if (since === undefined) return undefined;
    return Math.max(since + this.#config.spool.afterMs, this.#storeAgainAt ?? 0);
  }
}
