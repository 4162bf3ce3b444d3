import { Ledger } from '../../checkpoint/ledger.ts';
import type { SpoolPlace } from '../../checkpoint/spool-records.ts';
import type { HttpSinkConfig } from '../../config/types.ts';
import { DueTimer } from './due-timer.ts';
import type { HttpEvent } from './http-event.ts';
import type { HttpSinkDeps } from './http-sink-deps.ts';
import type { LineOrigin } from './line-origin.ts';
import { BatchBuilder, type OutgoingBatch } from './outgoing-batch.ts';
import { Senders } from './senders.ts';
import type { Spool } from './spool/spool.ts';
import { SpoolFeed } from './spool-feed.ts';
import { SpoolQueue } from './spool-queue.ts';
import { type LongLine, longLine, oversizeStub, wrapUnparsed } from './stand-in.ts';

/**
 * Sends events to one receiver, at its own pace.
 *
 * `direct`: events are grouped in memory and sent. When the oldest has waited for `spool.after`, everything goes to the
 * spool and counts as taken; `spooling` lasts until the spool is sent to its end. A sink whose memory or spool is full
 * has no room: the agent reads on without it, and hands it the rest later.
 *
 * It outlives the agent that feeds it: a reload that leaves its configuration alone hands it to the next one as it is,
 * with what it holds in memory, its requests in flight and its connections.
 */
export class HttpSink {
  readonly ledger = new Ledger();
  /** Batches that were delivered, or became dead letters, in this run. */
  completed = 0;
  /** What broke it for good: an error in the program. What was not taken stays in the log. */
  failure: unknown;
  readonly #config: HttpSinkConfig;
  readonly #deps: HttpSinkDeps;
  readonly #builder: BatchBuilder;
  readonly #senders: Senders;
  readonly #stored: SpoolFeed;
  readonly #unstored: SpoolQueue;
  readonly #timer: DueTimer;
  #openedSpool: Spool | undefined;
  #isSpooling = false;
  /** Something came into the spool since it was empty. */
  #hasSpooled = false;
  /** The spool was full: it is sent to its end first, then the rest of the log, which needs no second copy on disk. */
  #isRefusing = false;
  #isStopping = true;
  #bytes = 0;
  #drained: Promise<void> | undefined;
  #sourcesBehind = 0;
  #share: number;

  constructor(config: HttpSinkConfig, deps: HttpSinkDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#share = deps.share;
    this.#builder = new BatchBuilder(config.batch, this.ledger, deps.clock.now);
    const { clock, deliver } = deps;
    const failed = (error: unknown) => deps.occurrences.spoolFailed(error);
    const spooling = { spool: () => this.#spool, maxBytes: config.spool.maxBytes, failed, now: clock.now };
    this.#stored = new SpoolFeed({ ...spooling, limits: config.batch });
    this.#unstored = new SpoolQueue({ ...spooling, stored: (batch, isHeld) => this.#wasStored(batch, isHeld) });
    this.#senders = new Senders({
      concurrency: config.concurrency,
      next: () => this.#next(),
      deliver,
      delivered: (batch) => this.#delivered(batch),
      failed: (error) => {
        this.failure ??= error;
        deps.wake();
      },
      clock,
    });
    const dueTimes = () => [this.#batchDueAt(), this.#spoolDueAt(), this.#unstored.retryAt, this.#stored.retryAt];
    this.#timer = new DueTimer(clock, dueTimes, () => this.#tick());
  }

  get isStarted(): boolean {
    return this.#openedSpool !== undefined;
  }

  /** Begins to send, with what an earlier run left in the spool. May be repeated. */
  async start(): Promise<void> {
    if (this.isStarted) return;
    this.#openedSpool = await this.#deps.openSpool();
    this.#isSpooling = !this.#spool.isEmpty;
    this.#hasSpooled = this.#isSpooling;
    this.#isStopping = false;
    this.#senders.start();
  }

  /** Another agent's sources feed it from now on. @param share bytes that it may hold in memory. */
  feedFrom(share: number): void {
    this.#share = share;
    // Those of the agent before said that they were behind, and are no more.
    this.#sourcesBehind = 0;
  }

  get #spool(): Spool {
    if (this.#openedSpool === undefined) throw new Error('the sink was not started');
    return this.#openedSpool;
  }

  /** Whether it takes another chunk of lines. */
  get hasRoom(): boolean {
    if (this.#isStopping || this.#isRefusing || this.#bytes >= this.#share) return false;
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
    if (unparsed === undefined) this.#take(tag, time, Buffer.from(line), origin);
    else if (this.#config.unparsed === 'skip') this.#deps.occurrences.unparsedSkipped(1);
    else this.#take(tag, time, wrapUnparsed(line, unparsed), origin);
  }

  /** A line of `length` bytes that is too long to be sent: the receiver is told where it is, whatever `unparsed` says. */
  async beginLong(tag: string, time: number, origin: LineOrigin, length: number): Promise<LongLine> {
    const place = { ...origin };
    return longLine(() => this.#take(tag, time, oversizeStub({ ...place, length }), place));
  }

  /** No more lines come: what was gathered for a batch does not wait for any. */
  endBatch(): void {
    if (!this.#builder.isEmpty) this.#closeBatch();
  }

  /** Brings what waits in memory for the spool to disk; with each commit, which then finds it taken at the next one. */
  async persist(): Promise<void> {
    if (this.#isSpooling) this.endBatch();
    await this.#store();
    this.#deps.occurrences.queueSize(this.#bytes);
  }

  /** Up to where the spool was sent, for the commit to store; undefined when that is stored already. */
  spoolPlace(): SpoolPlace | undefined {
    return this.#stored.place();
  }

  async spoolCommitted(place: SpoolPlace): Promise<void> {
    await this.#stored.committed(place);
    // What found no room may have some now; where nothing more is read, no other commit would come to store it.
    if (!this.#isStopping) void this.#store();
  }

  /**
   * Takes no more, gives the receiver `graceMs` for what is in memory, and spools what is left. What cannot be spooled
   * stays in the log. May be repeated.
   */
  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  async #drain(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#timer.stop();
    this.endBatch();
    if (!this.#isSpooling) await this.#senders.settle(graceMs);
    await this.#senders.stop();
    const left = this.#isSpooling ? [] : [...this.#senders.sending, ...this.#senders.takeBack()];
    for (const batch of left) this.#unstored.add(batch, false);
    await this.#unstored.storeNow();
  }

  /** Ends at once; what was not taken is read again at the next start. */
  async close(): Promise<void> {
    this.#isStopping = true;
    this.#timer.stop();
    await this.#senders.stop();
    await this.#unstored.settle();
    await this.#openedSpool?.close().catch((error: unknown) => this.#deps.occurrences.spoolFailed(error));
    await this.#deps.close();
  }

  #take(tag: string, time: number, line: Buffer, { source, path, offset, segment }: LineOrigin): void {
    const event: HttpEvent = { tag, time, line, source, path, offset };
    if (this.#builder.wouldOverflow(event)) this.#closeBatch();
    const isFirst = this.#builder.isEmpty;
    this.#bytes += this.#builder.add(event, segment);
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
    await this.#unstored.store();
    // What was delivered while it was written leaves nothing to send; what could not be written is sent without that.
    this.#leaveSpool();
    if (!this.#unstored.isEmpty) this.#senders.kick();
    this.#timer.schedule();
  }

  #wasStored(batch: OutgoingBatch, isHeld: boolean): void {
    this.#hasSpooled = true;
    if (batch.entry !== undefined) this.ledger.taken(batch.entry);
    if (!isHeld) {
      this.#bytes -= batch.bytes;
      this.#senders.kick();
    }
    this.#deps.wake();
  }

  async #next(): Promise<OutgoingBatch | undefined> {
    if (!this.#isSpooling) return undefined;
    const batch = await this.#stored.next();
    this.#timer.schedule();
    if (batch === undefined) return this.#nextUnstored();
    this.#bytes += batch.bytes;
    return batch;
  }

  /** Everything of the spool is sent: what found no room there, or could not be written, goes to the receiver directly. */
  #nextUnstored(): OutgoingBatch | undefined {
    if (!this.#spool.isEmpty) return undefined;
    const [first, ...others] = this.#unstored.reclaim();
    this.#leaveSpool();
    if (others.length > 0) this.#senders.add(...others);
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
    if (this.#hasSpooled) this.#deps.occurrences.spoolDrained();
    this.#hasSpooled = false;
    this.#deps.wake();
    this.#timer.schedule();
  }

  #tick(): void {
    const now = this.#deps.clock.now();
    const isDue = (at: number | undefined) => at !== undefined && now >= at;
    if (isDue(this.#batchDueAt())) this.#closeBatch();
    if (isDue(this.#spoolDueAt())) this.#enterSpool();
    if (isDue(this.#unstored.retryAt)) void this.#store();
    if (!isDue(this.#stored.retryAt)) return;
    this.#stored.endPause();
    this.#senders.kick();
  }

  /** On its way to disk a batch waits for the commit: a sync for each second would disturb the host's etcd. */
  #batchDueAt(): number | undefined {
    return this.#isSpooling ? undefined : this.#builder.dueAt;
  }

  #spoolDueAt(): number | undefined {
    if (this.#isSpooling) return undefined;
    const since = this.#senders.oldest?.since ?? this.#builder.since;
    if (since === undefined) return undefined;
    return Math.max(since + this.#config.spool.afterMs, this.#unstored.retryAt ?? 0);
  }
}
