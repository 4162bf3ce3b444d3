import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import type { SpoolPlace } from '../../../src/checkpoint/spool-records.ts';
import type { HttpSinkConfig } from '../../../src/config/types.ts';
import { type FileIo, nodeFileIo } from '../../../src/sink/file-io.ts';
import type { Batch } from '../../../src/sink/http/batch.ts';
import type { Clock } from '../../../src/sink/http/clock.ts';
import { HttpSink } from '../../../src/sink/http/http-sink.ts';
import { Spool } from '../../../src/sink/http/spool/spool.ts';
import { HttpOccurrences } from '../../../src/telemetry/http-occurrences.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { systemError } from '../faulty-io.ts';
import { sinkConfig } from './http-harness.ts';

/** Each line takes that many bytes of the log. */
export const LINE_BYTES = 100;

const SEGMENT = 1;

/** Turns of the event loop after which a test gives up. */
const MAX_TURNS = 20_000;

/** A clock that only the test moves. */
export class FakeClock implements Clock {
  #now = 0;
  #timers = new Map<object, { readonly at: number; readonly run: () => void }>();

  readonly now = (): number => this.#now;

  readonly after = (ms: number, run: () => void): (() => void) => {
    const key = {};
    this.#timers.set(key, { at: this.#now + ms, run });
    return () => void this.#timers.delete(key);
  };

  /** Lets time pass, and calls what is due in its order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [key, { at, run }] = due;
      this.#timers.delete(key);
      this.#now = Math.max(this.#now, at);
      run();
    }
    this.#now = end;
  }
}

/** What a receiver does with a batch: takes it, half of it and nothing more, or nothing until that changes. */
export type Receiver = 'up' | 'half' | 'down';

export interface WorldOptions {
  readonly config?: Partial<HttpSinkConfig>;
  readonly share?: number;
}

/** What the sink says of itself, as words. */
class ToldOccurrences extends HttpOccurrences {
  readonly told: string[] = [];
  dropped = 0;
  /** Bytes in memory at the last commit. */
  bytes = 0;

  constructor() {
    super(new Telemetry(pino({ level: 'silent' })), 'receiver');
  }

  override spooling(): void {
    this.told.push('spooling');
  }

  override spoolDrained(): void {
    this.told.push('drained');
  }

  override spoolFull(): void {
    if (this.told.at(-1) !== 'full') this.told.push('full');
  }

  override spoolFailed(error: unknown): void {
    const { code } = error as { code?: string };
    this.told.push(`failed ${code ?? error}`);
  }

  override spoolDropped(events: number): void {
    this.dropped += events;
    this.told.push(`dropped ${events}`);
  }

  override unparsedSkipped(events: number): void {
    this.told.push(`skipped ${events}`);
  }

  override queueSize(bytes: number): void {
    this.bytes = bytes;
  }
}

/**
 * One HTTP sink with its spool on a real disk, the log that it is fed from, and a receiver that the test plays. It may
 * die and start again: what the agent would have committed is kept.
 */
export class SinkWorld implements Disposable {
  readonly clock = new FakeClock();
  readonly occurrences = new ToldOccurrences();
  readonly config: HttpSinkConfig;
  readonly share: number;
  /** Lines that the log has. */
  written = 0;
  /** What the receiver got, in order. Each line says in which life of the sink it was read from the log. */
  readonly received: { readonly n: number; readonly life: number }[] = [];
  /** The life in which each of them was received. */
  readonly receivedIn: number[] = [];
  /** The numbers in each request. */
  readonly requests: number[][] = [];
  /** Code of the error that writes to the spool fail with. */
  writeError: string | undefined;
  /** The same for reads. */
  readError: string | undefined;
  /** What `deliver` throws instead. */
  broken: Error | undefined;
  /** Called before each request. */
  onRequest: () => void = () => undefined;
  life = 0;
  wakes = 0;
  #receiver: Receiver = 'up';
  #changed = Promise.withResolvers<void>();
  #durable: { offset: number; place: SpoolPlace | undefined } = { offset: 0, place: undefined };
  #sink: HttpSink | undefined;
  #spool: Spool | undefined;
  #isDead = { value: false };
  #calls = 0;
  readonly #stateDir: string;

  constructor(options: WorldOptions = {}, t?: TestContext) {
    this.#stateDir = mkdtempSync(path.join(os.tmpdir(), 'auditail-sink-'));
    this.config = sinkConfig({
      batch: { events: 5, bytes: 1 << 20, ageMs: 1000 },
      concurrency: 1,
      spool: { afterMs: 2000, maxBytes: 1 << 20, overflow: 'block' },
      ...options.config,
    });
    this.share = options.share ?? 1 << 20;
    t?.after(() => this[Symbol.dispose]());
  }

  get sink(): HttpSink {
    if (this.#sink === undefined) throw new Error('the sink was not started');
    return this.#sink;
  }

  get spool(): Spool {
    if (this.#spool === undefined) throw new Error('the sink was not started');
    return this.#spool;
  }

  set receiver(receiver: Receiver) {
    this.#receiver = receiver;
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  get numbers(): number[] {
    return this.received.map(({ n }) => n);
  }

  /** Begins a life where the last commit stands. */
  async start(): Promise<void> {
    this.#sink = this.build();
    this.sink.ledger.restart(SEGMENT, this.#durable.offset);
    await this.sink.start();
  }

  /** A sink that was not started. */
  build(): HttpSink {
    this.life += 1;
    const isDead = { value: false };
    this.#isDead = isDead;
    return new HttpSink(this.config, {
      deliver: (batch, signal) => this.#deliver(batch, signal, isDead),
      openSpool: async () => {
        this.#spool = await Spool.open({
          stateDir: this.#stateDir,
          sink: 'receiver',
          config: this.config.spool,
          records: { acknowledged: () => this.#durable.place },
          occurrences: this.occurrences,
          durability: 'process',
          io: this.#io(isDead),
        });
        return this.#spool;
      },
      occurrences: this.occurrences,
      share: this.share,
      clock: this.clock,
      wake: () => {
        this.wakes += 1;
      },
      close: async () => {},
    });
  }

  /** Writes lines to the log. */
  write(count: number): void {
    this.written += count;
  }

  /** Hands the sink one chunk of what it has not got, if it has room; whether it did. */
  hand(most = Number.POSITIVE_INFINITY): boolean {
    const { ledger } = this.sink;
    const from = (ledger.handedTo(SEGMENT) ?? 0) / LINE_BYTES;
    if (from >= this.written || !this.sink.hasRoom) return false;
    const to = Math.min(this.written, from + most);
    for (let n = from; n < to; n += 1) this.append(n);
    ledger.handed(SEGMENT, to * LINE_BYTES);
    return true;
  }

  append(n: number, unparsed?: string): void {
    const line = Buffer.from(`${JSON.stringify({ n, life: this.life })}\n`);
    const origin = { source: 's', segment: SEGMENT, path: '/log', offset: n * LINE_BYTES, unparsed };
    this.sink.append('audit.t', 0, line, 0, line.length - 1, origin);
  }

  /** As the agent does: a cut, the spool's writes beside it, and the transaction. */
  async commit(): Promise<void> {
    const offset = this.sink.ledger.takenTo(SEGMENT) ?? 0;
    const place = this.sink.spoolPlace();
    void this.sink.persist();
    await turn();
    if (this.#isDead.value) return;
    this.#durable = { offset, place: place ?? this.#durable.place };
    if (place !== undefined) await this.sink.spoolCommitted(place);
  }

  get committedLines(): number {
    return this.#durable.offset / LINE_BYTES;
  }

  /** Dies at once, with everything that is under way. */
  async crash(): Promise<void> {
    this.#isDead.value = true;
    // A system call that has begun comes to its end.
    while (this.#calls > 0) await turn();
    // Its requests end too.
    void this.sink.close();
  }

  /** Lets what is under way go on until something is so. */
  async until(condition: () => boolean, step: () => void = () => undefined): Promise<void> {
    for (let turns = 0; !condition(); turns += 1) {
      if (turns > MAX_TURNS) throw new Error(`waited in vain: ${condition}; ${JSON.stringify(this.occurrences.told)}`);
      step();
      await turn();
    }
  }

  /** Runs like the agent, with a commit now and then, until everything that is written was delivered. */
  async finish(): Promise<void> {
    let turns = 0;
    while (!(this.sink.isIdle && !this.hand())) {
      turns += 1;
      if (turns > MAX_TURNS) throw new Error(`never idle: ${JSON.stringify(this.occurrences.told)}`);
      this.clock.advance(100);
      if (turns % 10 === 0) await this.commit();
      await turn();
    }
  }

  [Symbol.dispose](): void {
    this.#isDead.value = true;
    this.receiver = 'down';
    void this.#sink?.close();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  async #deliver(batch: Batch, signal: AbortSignal, isDead: { value: boolean }): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.onRequest();
    this.requests.push(batch.pending.map(numberOf));
    while (batch.pending.length > 0) {
      await turn();
      signal.throwIfAborted();
      if (this.broken !== undefined) throw this.broken;
      if (isDead.value || this.#receiver === 'down') {
        await Promise.race([this.#changed.promise, aborted]);
        continue;
      }
      const count = this.#receiver === 'half' ? Math.ceil(batch.pending.length / 2) : batch.pending.length;
      for (const event of batch.pending.slice(0, count)) {
        this.received.push(JSON.parse(event.line.toString()));
        this.receivedIn.push(this.life);
      }
      batch.pending = batch.pending.slice(count);
      if (this.#receiver === 'half') this.receiver = 'down';
    }
  }

  #io(isDead: { value: boolean }): FileIo {
    const failing = (name: keyof FileIo) => {
      if (name === 'write') return this.writeError;
      return name === 'read' ? this.readError : undefined;
    };
    return new Proxy(nodeFileIo, {
      get: (target, name: keyof FileIo) => {
        return async (...args: unknown[]) => {
          if (isDead.value) await new Promise(() => undefined);
          const code = failing(name);
          if (code !== undefined) throw systemError(code);
          this.#calls += 1;
          try {
            return await (target[name] as (...args: unknown[]) => unknown)(...args);
          } finally {
            this.#calls -= 1;
            if (isDead.value) await new Promise(() => undefined);
          }
        };
      },
    });
  }
}

function numberOf({ line }: { readonly line: Buffer }): number {
  return (JSON.parse(line.toString()) as { n: number }).n;
}
