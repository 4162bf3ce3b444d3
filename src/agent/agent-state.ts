import { ArchiveRecords } from '../checkpoint/archive-records.ts';
import { type Database, openDatabase } from '../checkpoint/database.ts';
import { DeadLetterStore } from '../checkpoint/dead-letter-store.ts';
import { StateLock } from '../checkpoint/lock.ts';
import { SegmentRecords } from '../checkpoint/segment-records.ts';
import { SpoolRecords } from '../checkpoint/spool-records.ts';
import { setDurability } from '../checkpoint/sqlite-file.ts';
import type { Config, Durability, HttpSinkConfig } from '../config/types.ts';
import { describeError } from '../errors.ts';
import { createHttpSink } from '../sink/http/create-http-sink.ts';
import { HttpOccurrences } from '../telemetry/http-occurrences.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { HeldLogs } from './held-logs.ts';
import { HttpSinks } from './http-sinks.ts';
import { Wake } from './wake.ts';

/**
 * What outlives an agent when a reload puts another in its place: the state directory with its lock, the HTTP sinks whose
 * configuration did not change, the log files that were open, and the counters. One agent at a time uses it.
 */
export class AgentState {
  readonly telemetry: Telemetry;
  readonly db: Database;
  readonly archives: ArchiveRecords;
  readonly segments: SegmentRecords;
  readonly spools: SpoolRecords;
  readonly httpSinks: HttpSinks;
  readonly logs = new HeldLogs();
  readonly wake = new Wake();
  /** Milliseconds since the epoch. */
  readonly now = Date.now;
  /** Milliseconds that passed, since some moment: waits count in them, so that no step of the clock changes one. */
  readonly elapsed = (): number => performance.now();
  /** Commits of all agents that ended. */
  commits = 0;
  readonly #stateDir: string;
  readonly #held: DisposableStack;
  #durability: Durability;
  #letters: DeadLetterStore | undefined;

  /**
   * Takes the state directory's lock and opens the state.
   *
   * @throws AuditailError `STATE_LOCKED`, `STATE_CORRUPT` and the like
   */
  static open({ stateDir, commit }: Pick<Config, 'stateDir' | 'commit'>, telemetry: Telemetry): AgentState {
    using opened = new DisposableStack();
    opened.adopt(StateLock.acquire(stateDir), (lock) => lock.release());
    const db = opened.adopt(openDatabase(stateDir, commit.durability), (open) => open.close());
    return new AgentState({ stateDir, durability: commit.durability, db, telemetry, held: opened.move() });
  }

  private constructor(parts: {
    stateDir: string;
    durability: Durability;
    db: Database;
    telemetry: Telemetry;
    held: DisposableStack;
  }) {
    const { stateDir, durability, db, telemetry, held } = parts;
    this.telemetry = telemetry;
    this.db = db;
    this.archives = new ArchiveRecords(db);
    this.segments = new SegmentRecords(db);
    this.spools = new SpoolRecords(db);
    this.httpSinks = new HttpSinks({
      db,
      segments: this.segments,
      spools: this.spools,
      create: (config, options) => this.#createHttpSink(config, options),
    });
    this.#stateDir = stateDir;
    this.#durability = durability;
    this.#held = held;
  }

  /** Opened when it is first asked for: without HTTP sinks there is none. @throws AuditailError `DEADLETTER_CORRUPT` and the like */
  get deadLetters(): DeadLetterStore {
    this.#letters ??= this.#held.adopt(DeadLetterStore.open(this.#stateDir, this.#durability), (store) =>
      store.close(),
    );
    return this.#letters;
  }

  /**
   * Between two agents: ends the HTTP sinks that the next configuration does not go on with. Never rejects: what could not
   * be stored is read again.
   *
   * @param config with the same `stateDir`.
   */
  async letGo(config: Config): Promise<void> {
    const { telemetry } = this;
    const failed = (error: unknown) =>
      telemetry.log.warn(
        { error: describeError(error) },
        'not all that was delivered could be stored: it is sent again',
      );
    for (const name of await this.httpSinks.letGo(config, failed)) await telemetry.forget('sink', name);
    const { durability } = config.commit;
    if (durability === this.#durability) return;
    setDurability(this.db, durability);
    this.#letters?.setDurability(durability);
    this.#durability = durability;
  }

  /** The agent has started, so that none before it comes back: closes the logs that it does not go on with. */
  async started({ sources }: Pick<Config, 'sources'>): Promise<void> {
    for (const name of await this.logs.letGo(sources)) await this.telemetry.forget('source', name);
  }

  /** Lets go of everything at once. */
  async close(): Promise<void> {
    try {
      await this.httpSinks.close();
      await this.logs.letGo([]);
    } finally {
      this.#held.dispose();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #createHttpSink(config: HttpSinkConfig, options: { durability: Durability; share: number }) {
    const { telemetry, spools, deadLetters, now, wake } = this;
    const occurrences = new HttpOccurrences(telemetry, config.name);
    const target = createHttpSink(config, {
      ...options,
      stateDir: this.#stateDir,
      occurrences,
      spools,
      deadLetters,
      now,
      wake: () => wake.wake(),
    });
    return { target, occurrences };
  }
}
