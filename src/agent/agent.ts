import { setTimeout as delay } from 'node:timers/promises';
import type { Source } from '../source/source.ts';
import { DirectoryWatcher } from '../source/watcher.ts';
import type { AgentParts } from './agent-parts.ts';
import { assertAllDone } from './assert-all-done.ts';
import type { HttpEventSink } from './event-sink.ts';
import { Pulse } from './pulse.ts';
import { ReplayWatch } from './replay-watch.ts';
import { StallWatch } from './stall-watch.ts';

/** Pause before reading again after a failed write: doubled with each failure in a row. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;

/** How often hours are finished and retention is applied. */
const MAINTENANCE_INTERVAL_MS = 10_000;

/**
 * The agent's life: start (bring the archive to its last commit, look for logs), run (one loop that sweeps, reads a
 * chunk of each stream, and starts commits), commit what was read and stop. HTTP sinks are drained at the end, but for
 * a reload: then the next agent goes on with them, or its owner ends those that have no place there.
 *
 * One loop does all reading, so there is no moment between two chunks that a commit could not cut at.
 */
export class Agent {
  readonly pulse: Pulse;
  readonly #parts: AgentParts;
  readonly #sources: readonly Source[];
  #watcher: DirectoryWatcher | undefined;
  #hasStarted = false;
  #stopping = false;
  #isReload = false;
  #sweepAt = 0;
  #maintainAt = 0;
  /** How many commits had been completed at the last failure. */
  #completedAtFailure = 0;
  /** Something may have been cut off the archive since the last sweep, at the start or by a rewind. */
  #replays = true;
  #replay: ReplayWatch | undefined;
  readonly #stall: StallWatch;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.pulse = new Pulse(parts.elapsed);
    this.#sources = parts.inputs.map(({ source }) => source);
    const completed = () => parts.httpSinks.reduce((sum, { target }) => sum + target.completed, 0);
    this.#stall = new StallWatch(completed, parts.config.shutdownTimeoutMs, parts.elapsed);
  }

  /** For who looks from outside. */
  get parts(): AgentParts {
    return this.#parts;
  }

  /** Whether the archive could be brought to its last commit. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /**
   * Runs until {@link stop}, or until everything that exists was read, delivered and committed.
   *
   * @param options.onReading called once, after the first sweep and the first chunk of each stream.
   */
  async run(options: { exitAtEof: boolean; onReading?: () => void }): Promise<void> {
    const { config, fileSinks, httpSinks, committer, state } = this.#parts;
    try {
      for (const { target } of fileSinks) await target.start();
      for (const { target } of httpSinks) await target.start();
      this.#hasStarted = true;
      await state.started(config);
      this.pulse.phase = 'running';
      if (!options.exitAtEof) this.#watch();
      await this.#loop(options);
      this.pulse.phase = this.#isReload ? 'reloading' : 'stopping';
      this.pulse.beat(config.shutdownTimeoutMs);
      await this.#end();
      if (options.exitAtEof && !this.#isReload) assertAllDone(this.#undelivered(), this.#sources);
    } finally {
      await committer.settle();
      this.#watcher?.close();
      for (const source of this.#sources) {
        await source.close({ keepsFiles: true });
        // Else what the agent before had open is still held.
        if (this.#hasStarted) state.logs.hold(source.config, source.segments());
      }
      for (const { target } of fileSinks) await target.close();
      state.commits = committer.completed;
    }
  }

  /**
   * Stops reading; {@link run} then commits and returns.
   *
   * @param options.forReload another agent goes on at once: HTTP sinks are not drained. The last call counts.
   */
  stop({ forReload = false } = {}): void {
    this.#stopping = true;
    this.#isReload = forReload;
    this.#parts.wake.wake();
  }

  /** Commits now instead of at the end of the interval. */
  commitNow(): void {
    this.#parts.committer.request();
    this.#parts.wake.wake();
  }

  /** Resolves when the loop has come round: a proof that it is not stuck. A loop that sleeps is woken for it. */
  turn(): Promise<void> {
    this.#parts.wake.wake();
    return this.pulse.next();
  }

  async #loop({ exitAtEof, onReading }: { exitAtEof: boolean; onReading?: () => void }): Promise<void> {
    const { committer, wake } = this.#parts;
    let tell = onReading;
    while (!this.#stopping) {
      this.pulse.beat();
      this.#checkSinks();
      try {
        this.#checkCommits();
        const swept = await this.#sweepIfDue();
        const progressed = await this.#poll();
        tell?.();
        tell = undefined;
        committer.noteTakings();
        committer.startIfDue();
        await this.#makeRoom();
        if (committer.failure !== undefined || progressed) continue;
        if (exitAtEof && swept) {
          this.#endBatches();
          if (this.#isDone()) return;
        }
        // A spool gives back room with a commit only: nobody should wait an interval for it.
        if (exitAtEof && committer.dueIn !== undefined) committer.request();
        const idleMs = this.#idleMs(exitAtEof);
        this.pulse.beat(idleMs);
        await wake.sleep(idleMs);
        if (exitAtEof && !committer.isRunning) this.#sweepAt = 0;
      } catch (error) {
        this.#sweepAt = 0;
        await this.#rewind(error);
      }
    }
  }

  /** Nothing that is read once more would mend an error in the program. */
  #checkSinks(): void {
    for (const { target } of this.#parts.httpSinks) if (target.failure !== undefined) throw target.failure;
  }

  #checkCommits(): void {
    const { committer, occurrences } = this.#parts;
    if (committer.failure !== undefined) throw committer.failure;
    if (this.pulse.failures === 0 || committer.completed === this.#completedAtFailure) return;
    this.pulse.failures = 0;
    occurrences.recovered();
  }

  async #sweepIfDue(): Promise<boolean> {
    const now = this.#parts.elapsed();
    if (now >= this.#maintainAt) await this.#maintain(now);
    if (now < this.#sweepAt && !this.#sources.some((source) => source.wantsSweep)) return false;
    // Before the sweep, and not after it: a hint that comes meanwhile asks for another one.
    this.#sweepAt = now + Math.min(...this.#sources.map(({ config }) => config.refreshIntervalMs));
    for (const source of this.#sources) await source.sweep();
    this.pulse.hasSwept = true;
    await this.#watcher?.watch(this.#sources.flatMap((source) => source.directories));
    if (this.#replays) this.#replay = new ReplayWatch(this.#sources);
    this.#replays = false;
    return true;
  }

  async #poll(): Promise<boolean> {
    let progressed = false;
    for (const { source, pipeline } of this.#parts.inputs) {
      progressed = (await source.poll()) || progressed;
      if (pipeline.bytesTaken > 0) this.#parts.committer.taken(pipeline.bytesTaken);
      pipeline.flushCounts();
    }
    return progressed;
  }

  /** Back-pressure: the next chunk waits for bytes in flight, and for a commit that reading has run ahead of. */
  async #makeRoom(): Promise<void> {
    const { committer, room } = this.#parts;
    if (committer.isBehind) await committer.settle();
    await room();
  }

  async #maintain(now: number): Promise<void> {
    for (const { target } of this.#parts.fileSinks) await target.maintain();
    if (this.#replay?.hasPassed === true) {
      const { hadGaps } = this.#replay;
      for (const { target } of this.#parts.fileSinks) await (hadGaps ? target.retainCutTails() : target.dropCutTails());
      if (hadGaps) this.#parts.occurrences.cutTailsKept(this.#parts.cutDir);
      this.#replay = undefined;
    }
    this.#maintainAt = now + MAINTENANCE_INTERVAL_MS;
  }

  #idleMs(exitAtEof: boolean): number {
    const { committer, elapsed } = this.#parts;
    const untilSweep = Math.max(0, this.#sweepAt - elapsed());
    const waits = [untilSweep, committer.isRunning ? undefined : committer.dueIn, exitAtEof ? 50 : undefined];
    return Math.min(...waits.filter((wait) => wait !== undefined));
  }

  /** Answers every I/O error: drop what came since the last commit, cut, and read again from there. */
  async #rewind(cause: unknown): Promise<void> {
    const { committer, fileSinks, occurrences } = this.#parts;
    for (let error = cause; ; ) {
      this.pulse.failures += 1;
      this.#completedAtFailure = committer.completed;
      const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.pulse.failures - 1));
      occurrences.rewound(error, pauseMs);
      await committer.settle();
      await this.#pause(pauseMs);
      if (this.#stopping) throw error;
      try {
        for (const { target } of fileSinks) await target.rewind();
        for (const source of this.#sources) source.rewind();
        this.#replays = true;
        committer.reset();
        return;
      } catch (again) {
        error = again;
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const until = this.#parts.elapsed() + ms;
    while (!this.#stopping && this.#parts.elapsed() < until) {
      this.pulse.beat(Math.min(100, ms));
      await delay(Math.min(100, ms));
    }
  }

  /** The archive first: what a receiver does has no part in it. */
  async #end(): Promise<void> {
    const { committer, fileSinks, state, config } = this.#parts;
    await committer.commit();
    if (!this.#isReload) await state.httpSinks.drain(config.shutdownTimeoutMs);
    for (const { target } of fileSinks) await target.maintain();
  }

  /** All that exists was read and delivered, or the receivers take nothing more. */
  #isDone(): boolean {
    if (!this.#sources.every((source) => source.isDrained)) return false;
    return this.#undelivered().length === 0 || this.#stall.isStalled();
  }

  /** Nothing more comes that a batch could wait for. */
  #endBatches(): void {
    if (!this.#sources.every((source) => source.isDrained && !source.isBehind)) return;
    for (const { target } of this.#parts.httpSinks) target.endBatch();
  }

  #undelivered(): HttpEventSink[] {
    const isBehind = this.#sources.some((source) => source.isBehind);
    return this.#parts.httpSinks.filter(({ target }) => isBehind || !target.isIdle);
  }

  #watch(): void {
    this.#watcher = new DirectoryWatcher(
      (hint) => {
        if (hint === 'names') this.#sweepAt = 0;
        for (const source of this.#sources) source.hint();
        this.#parts.wake.wake();
      },
      (error) => {
        for (const { occurrences } of this.#parts.inputs) occurrences.watchFailed(error);
      },
    );
  }
}
