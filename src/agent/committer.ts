import type { ArchiveRecords } from '../checkpoint/archive-records.ts';
import type { Database } from '../checkpoint/database.ts';
import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SpoolRecords } from '../checkpoint/spool-records.ts';
import type { CommitConfig } from '../config/types.ts';
import type { Source } from '../source/source.ts';
import type { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import type { FileSink, HttpEventSink } from './event-sink.ts';
import { LeftPlaces } from './left-places.ts';

export interface CommitterDeps {
  readonly db: Database;
  readonly segments: SegmentRecords;
  readonly archives: ArchiveRecords;
  readonly spools: SpoolRecords;
  readonly sources: readonly Source[];
  readonly fileSinks: readonly FileSink[];
  readonly httpSinks: readonly HttpEventSink[];
  readonly config: CommitConfig;
  readonly occurrences: AgentOccurrences;
  /** A commit ended, well or not: the loop has something to look at. */
  readonly wake: () => void;
  readonly now: () => number;
  /** See `AgentState.elapsed`. */
  readonly elapsed: () => number;
}

/**
 * Makes what was read durable: a consistent cut of all sources and files, taken between two chunks, is written and
 * synced while reading goes on, and then stored in one transaction. At most one commit is under way.
 */
export class Committer {
  /** Why the last commit, or a write between commits, failed; the agent rewinds and clears it with {@link reset}. */
  failure: unknown;
  /** Commits that became durable, counted on from those of the agent before. */
  completed = 0;
  /** Those who wait for something, or for a failure. */
  readonly #waiting = new Set<() => void>();
  readonly #deps: CommitterDeps;
  readonly #left: LeftPlaces;
  #running: Promise<void> | undefined;
  /** Bytes of lines taken since the last cut. */
  #bytes = 0;
  /** When the oldest line since the last cut was taken, in `elapsed`. */
  #since: number | undefined;
  #wanted = false;
  /** What sinks at their own pace had taken at the last cut, counted. */
  #takings = 0;

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
    this.#left = new LeftPlaces(deps.httpSinks, deps.sources);
  }

  /** A write between two commits failed. */
  fail(error: unknown): void {
    this.failure ??= error;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    this.#deps.wake();
  }

  /**
   * Resolves with `work`, or at a failure before that. It is no race with a promise of the failure: as long as nothing fails,
   * each race would leave something behind there, and the loop waits 25 times a second for years.
   */
  async orFailure(work: Promise<unknown>): Promise<void> {
    if (this.failure !== undefined) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    work.then(() => resolve(), reject);
    try {
      await promise;
    } finally {
      this.#waiting.delete(resolve);
    }
  }

  /** Lines were taken: they are to be durable within the commit interval. */
  taken(bytes: number): void {
    this.#bytes += bytes;
    this.#since ??= this.#deps.elapsed();
  }

  /** Sinks at their own pace may have taken something meanwhile: that too is to be durable within the interval. */
  noteTakings(): void {
    const { httpSinks, elapsed } = this.#deps;
    if (this.#takings === this.#countTakings() && httpSinks.every(({ target }) => target.spoolPlace() === undefined))
      return;
    this.#since ??= elapsed();
  }

  /** Asks for a commit at the next step instead of at the end of the interval. */
  request(): void {
    this.#wanted = true;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** More was taken than one commit should hold while another is under way: reading waits. */
  get isBehind(): boolean {
    return this.isRunning && this.#bytes >= this.#deps.config.bytes;
  }

  /** Milliseconds until the next commit is due; undefined when there is nothing to commit. */
  get dueIn(): number | undefined {
    if (this.#wanted || this.#bytes >= this.#deps.config.bytes) return 0;
    if (this.#since === undefined) return undefined;
    return Math.max(0, this.#since + this.#deps.config.intervalMs - this.#deps.elapsed());
  }

  /** Starts a commit when one is due and none is under way. */
  startIfDue(): void {
    if (this.dueIn === 0 && !this.isRunning && this.failure === undefined) this.#start();
  }

  /** Waits for the commit under way. Never rejects; see {@link failure}. */
  async settle(): Promise<void> {
    await this.#running;
  }

  /** Makes everything that was taken so far durable. Rejects when that fails. */
  async commit(): Promise<void> {
    await this.settle();
    if (this.failure === undefined) this.#start();
    await this.settle();
    if (this.failure !== undefined) throw this.failure;
  }

  reset(): void {
    this.failure = undefined;
    this.#bytes = 0;
    this.#since = undefined;
    this.#wanted = false;
    // What sinks had taken at the cut of a commit that failed is not stored.
    this.#takings = -1;
  }

  #start(): void {
    this.#bytes = 0;
    this.#since = undefined;
    this.#wanted = false;
    this.#running = this.#run()
      .then(
        () => {
          this.completed += 1;
        },
        (error: unknown) => this.fail(error),
      )
      .finally(() => {
        this.#running = undefined;
        this.#deps.wake();
      });
  }

  async #run(): Promise<void> {
    const { sources, fileSinks, httpSinks, db, segments, archives, spools, occurrences, now } = this.#deps;
    const begun = performance.now();
    // Everything up to the first await is one instant: no line is taken between the offsets and the files' cuts.
    const taken = sources.flatMap((source) => source.progress().map((one) => ({ source, ...one })));
    const left = this.#left.news();
    const cuts = fileSinks.map(({ target }) => target.cut());
    const places = httpSinks.flatMap(({ config, target }) => {
      const place = target.spoolPlace();
      return place === undefined ? [] : [{ sink: config.name, target, place }];
    });
    this.#takings = this.#countTakings();
    // The next commit finds it taken: a spool that is slow or cannot be written holds up nobody.
    for (const { target } of httpSinks) void target.persist();
    const flushed = await Promise.allSettled(fileSinks.map(({ target }, index) => target.flush(cuts[index]!)));
    const failed = flushed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const rows = flushed.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if ([taken, left, rows, places].every((one) => one.length === 0)) return;
    db.transaction(() => {
      segments.saveProgress(
        taken.map(({ progress }) => progress),
        now(),
      );
      for (const { sink, segment, offset } of left) segments.saveTaken(sink, [[segment, offset]]);
      archives.save(rows);
      for (const { sink, place } of places) spools.save(sink, place);
    }).immediate();
    fileSinks.forEach(({ target }, index) => void target.committed(cuts[index]!));
    for (const { source, segment, progress, position } of taken) source.committed(segment, progress, position);
    this.#left.committed(left);
    for (const { target, place } of places) await target.spoolCommitted(place);
    occurrences.commitDone((performance.now() - begun) / 1000);
  }

  #countTakings(): number {
    return this.#deps.httpSinks.reduce((sum, { target }) => sum + target.ledger.changes, 0);
  }
}
