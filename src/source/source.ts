import type { SegmentProgress } from '../checkpoint/segment-records.ts';
import type { SourceConfig } from '../config/types.ts';
import { ActiveSegments, isOpen, type OpenSegment } from './active-segments.ts';
import { ChangeResolver } from './change-resolver.ts';
import { type Discovery, discover, type FoundFile } from './discovery.ts';
import { Feeding } from './feeding.ts';
import { GapKeeper } from './gap-keeper.ts';
import { type Identified, Identifier } from './identify.ts';
import { type Known, KnownSegments, type Stream } from './known-segments.ts';
import { mayGrow } from './may-grow.ts';
import { newSegmentRow } from './new-segment.ts';
import { newSegmentReader } from './new-segment-reader.ts';
import { ReadTroubles } from './read-troubles.ts';
import { RotationJoin } from './rotation-join.ts';
import type { Segment } from './segment.ts';
import { SegmentFinisher } from './segment-finisher.ts';
import { beginsAsSeen, type SegmentReader } from './segment-reader.ts';
import type { SourceDeps } from './source-deps.ts';
import { StreamPoller } from './stream-poller.ts';

/**
 * One configured source: its streams and the segments that are being read.
 *
 * {@link sweep} looks at the file system and decides what each file is. {@link poll} takes one chunk from each stream.
 * Both are driven by the agent's loop, one at a time, so nothing here runs beside anything else.
 */
export class Source {
  readonly config: SourceConfig;
  readonly known: KnownSegments;
  /** Directories to watch for hints. */
  directories: readonly string[] = [];
  /** Files that could not be read since the last sweep began. */
  readonly troubles: ReadTroubles;
  readonly #deps: SourceDeps;
  readonly #active: ActiveSegments;
  readonly #gaps: GapKeeper;
  readonly #changes: ChangeResolver;
  readonly #feeding: Feeding;
  readonly #reader: SegmentReader;
  readonly #poller: StreamPoller;
  readonly #identifier: Identifier;
  /** Files that only a later sweep can tell or open. */
  #undecided = 0;
  #sweepWanted = false;
  /** A live file had no whole line at the last sweep: whatever changes may be its first one, by which it is told. */
  #awaitsFirstLine = false;

  constructor(config: SourceConfig, deps: SourceDeps) {
    this.config = config;
    this.#deps = deps;
    this.troubles = new ReadTroubles(deps.occurrences);
    this.known = new KnownSegments(deps.records, config.name);
    this.#active = new ActiveSegments(this.known, deps.records, { ...deps, config });
    this.#gaps = new GapKeeper({ ...deps, source: config.name, known: this.known, active: this.#active });
    this.#changes = new ChangeResolver({ ...deps, active: this.#active, gaps: this.#gaps, troubles: this.troubles });
    const newReader = () => newSegmentReader(config, deps.handler);
    this.#reader = newReader();
    const join = new RotationJoin({
      ...config,
      ...{ known: this.known, elapsed: deps.elapsed, reader: this.#reader },
      isStill: (segment, size) => finisher.isStill(segment, size),
    });
    const shared = { config, active: this.#active, reader: this.#reader, changes: this.#changes, join };
    const finisher = new SegmentFinisher({ ...deps, ...shared });
    this.#feeding = new Feeding({
      sinks: deps.sinks,
      streams: this.known.streams,
      newReader,
      restOf: (id, tail) => join.restOf(id, tail),
      lost: (segment, sink) => this.#gaps.tellLostFor(segment, sink),
      trouble: (file, error) => this.troubles.tellReadError(file, error),
    });
    this.#poller = new StreamPoller({
      ...{ reader: this.#reader, feeding: this.#feeding, finisher, troubles: this.troubles },
      changed: (segment) => this.#resolveChange(segment),
    });
    this.#identifier = new Identifier(this.known, {
      lastChange: (modifiedMs) => deps.elapsed() - Math.max(0, deps.now() - modifiedMs),
      isStillSince: (since) => deps.elapsed() - since >= config.rotateWaitMs,
      anchors: (known) => deps.records.anchors(known.id),
      isIntact: async (segment) => isOpen(segment) && (await this.#reader.isIntact(segment)),
      trouble: (file, error) => this.troubles.tell(file.path, error),
    });
  }

  /** Whether a change was found that only a sweep can resolve. */
  get wantsSweep(): boolean {
    return this.#sweepWanted || this.troubles.sawMoved;
  }

  /** Whether a file waits for a later sweep to tell what it is, or to be given up as a gap. */
  get isUndecided(): boolean {
    return this.#undecided > 0;
  }

  /** All that exists was read, and nothing waits for a decision. A last line without newline of a live file is left. */
  get isDrained(): boolean {
    return (
      !this.wantsSweep && this.#undecided === 0 && this.#active.all().every((segment) => this.#poller.isDone(segment))
    );
  }

  /** Whether a sink at its own pace has yet to be handed what the others were. */
  get isBehind(): boolean {
    return this.#feeding.isBehind;
  }

  get gapsTold(): number {
    return this.#gaps.told;
  }

  /** Segments that are being read, in reading order. */
  segments(): readonly Segment[] {
    return this.#active.all();
  }

  /** Whether all whole lines that the segment had at the last look were taken. */
  hasEnded(segment: Segment): boolean {
    return this.#poller.hasEnded(segment);
  }

  /** Something may have been written: look at the ends again. May come at any time, also in the middle of a step. */
  hint(): void {
    this.#poller.hint();
    if (this.#awaitsFirstLine) this.#sweepWanted = true;
  }

  /** Looks at the file system: what is new, what was renamed, gzipped, truncated or deleted. */
  async sweep(): Promise<void> {
    await this.#active.releaseSettled();
    this.#sweepWanted = false;
    this.troubles.beginSweep();
    this.#poller.hint();
    let discovery: Discovery;
    try {
      discovery = await discover(this.config);
    } catch (error) {
      return this.troubles.tell(this.config.path, error);
    }
    this.directories = discovery.directories;
    await this.#checkOpenFiles();
    const identified = await this.#identifier.identify(discovery.streams);
    this.#undecided = 0;
    this.#awaitsFirstLine = identified.some(({ identity, file }) => identity.kind === 'unready' && file.live);
    const isFirstStart = !this.#deps.records.wasStarted(this.config.name);
    for (const one of identified) await this.#apply(one, isFirstStart);
    if (isFirstStart) this.#deps.records.markStarted(this.config.name, this.#deps.now());
    if (identified.length === 0 && this.#active.all().length === 0)
      this.#deps.occurrences.nothingFound(this.config.path);
    this.#active.sort();
    for (const segment of this.#active.withoutName(identified)) this.#deps.occurrences.liveFileDeleted(segment.path);
    for (const stream of this.known.streams.values()) stream.awaitsLive = awaitsLive(stream, identified);
    this.#undecided +=
      (await this.#gaps.resolveMissing(identified, this.config.rotateWaitMs)) +
      identified.filter(({ identity, file }) => identity.kind === 'unready' && !this.#isLeft(file)).length;
    await this.#gaps.limitHeldBytes(this.config.heldBytes);
    this.#active.tellUnread();
    const present = new Set(identified.map(({ identity }) => (identity.kind === 'known' ? identity.known : undefined)));
    this.known.forgetOldest((known) => present.has(known));
  }

  /** Takes one chunk from each stream, oldest segment first; whether anything was taken. */
  async poll(): Promise<boolean> {
    await this.#active.releaseSettled();
    // What moved before it was opened may come before what is open, and end in a line that goes on there.
    if (this.#reader.framing.spansSegments && this.troubles.sawMoved) return false;
    let progressed = false;
    for (const stream of this.known.streams.values()) progressed = (await this.#poller.poll(stream)) || progressed;
    progressed = (await this.#feeding.catchUp()) || progressed;
    if (!progressed) this.#active.tellUnread();
    return progressed;
  }

  /** What a commit has to store now, with the segments it is of. */
  progress(): { segment: Segment; progress: SegmentProgress; position: number }[] {
    return this.#active
      .all()
      .filter((segment) => segment.hasNews)
      .map((segment) => ({ segment, progress: segment.progress(), position: segment.position }));
  }

  /** The commit that stored this progress is durable. A finished segment is let go at the next step. */
  committed(segment: Segment, progress: SegmentProgress, position: number): void {
    segment.committed(progress, position);
    const known = this.#active.knownOf(segment);
    const { sizeSeen, firstTime, lastTime, finished, headOf, headBytes } = progress;
    known.row = { ...known.row, sizeSeen, firstTime, lastTime, finished, headOf, headBytes };
  }

  /** Takes every reader back to what is durable. */
  rewind(): void {
    for (const segment of this.#active.open()) {
      segment.drop();
      this.#active.restore(segment);
    }
    this.#poller.forgetEnds();
  }

  /** @param options.keepsFiles what {@link segments} have open is somebody else's from now on. */
  async close({ keepsFiles = false } = {}): Promise<void> {
    await this.#active.releaseSettled();
    await this.#feeding.close();
    if (keepsFiles) await this.#lookAtLinks();
    else await this.#active.close();
  }

  /** Learns which open files have lost their names since the last sweep. */
  async #lookAtLinks(): Promise<void> {
    for (const segment of this.#active.open()) {
      segment.links = (await segment.file.stat().catch(() => undefined))?.links ?? segment.links;
    }
  }

  /** The content before the position is not what was read there. A file that cannot be read is looked at again later. */
  async #resolveChange(segment: OpenSegment): Promise<void> {
    const outcome = await this.#changes.resolve(segment);
    if (outcome === 'released') this.#sweepWanted = true;
    if (outcome === 'unreadable') this.#poller.leave(segment);
  }

  async #apply({ file, stream, identity }: Identified, isFirstStart: boolean): Promise<void> {
    try {
      if (identity.kind === 'new') await this.#begin(this.known.stream(stream), file, identity.head, isFirstStart);
      else if (identity.kind === 'known') await this.#place(identity.known, file);
    } catch (error) {
      this.troubles.tellReadError(file.path, error);
    }
  }

  async #begin(stream: Stream, file: FoundFile, head: string, isFirstStart: boolean): Promise<void> {
    const { records, sinks, handler, occurrences, now } = this.#deps;
    const tail = isFirstStart && this.config.readFrom === 'tail';
    const row = await newSegmentRow(file, { stream: stream.id, head, tail, mayGrow: this.#mayGrow(file), handler });
    const id = records.add(row, new Map(sinks.map(({ name }) => [name, row.sizeSeen])), now());
    const known = this.known.add(stream, { ...row, id });
    // Told after the file was opened: who waits for that word may delete it next.
    const opened = row.finished ? Promise.resolve() : this.#activate(known, file);
    await opened.finally(() => occurrences.segmentFound(file.path, stream.path, row.sizeSeen));
  }

  /** A known segment's file was found, perhaps at a new place. */
  async #place(known: Known, file: FoundFile): Promise<void> {
    known.missingSince = undefined;
    const { segment } = known;
    if (segment !== undefined) {
      if (segment.live && !file.live) this.#deps.occurrences.segmentRotated(known.path, file.path);
      segment.live = file.live;
    } else if (this.#active.needsReading(known, file)) {
      await this.#activate(known, file, file.size);
    }
    this.known.relocate(known, file, this.#mayGrow(file, known));
  }

  #mayGrow(file: FoundFile, known?: Known): boolean {
    return mayGrow(file, known, { now: this.#deps.now(), waitMs: this.config.rotateWaitMs });
  }

  /**
   * What the file has counts as seen only while it still has what was read from it. The open file is asked: the one that was found
   * may have been emptied since. `hadThen`: what it was found with, where its head, told after that look, was known before it.
   */
  async #activate(known: Known, file: FoundFile, hadThen = 0): Promise<void> {
    if (!(await this.#active.activate(known, file))) this.#undecided += 1;
    const { segment } = known;
    if (segment === undefined || file.gzip || !isOpen(segment)) return;
    if (await this.#reader.isIntact(segment)) segment.sees((await segment.file.stat()).size);
    else if (!(await beginsAsSeen(segment))) segment.sees(hadThen);
  }

  /** A file that changed under its reader must be told before others are compared with it. */
  async #checkOpenFiles(): Promise<void> {
    for (const segment of this.#active.open()) {
      try {
        const { size, links } = await segment.file.stat();
        segment.links = links;
        // Held for a sink that lacks its end.
        if (segment.finished) continue;
        if (segment.shrunkTo(size) === undefined && (await this.#reader.isIntact(segment))) {
          segment.sees(size);
          continue;
        }
      } catch (error) {
        this.troubles.tellReadError(segment.path, error);
        continue;
      }
      await this.#resolveChange(segment);
    }
  }

  /** A live file without a whole line yet, or one that cannot be read, is not waited for. */
  #isLeft(file: FoundFile): boolean {
    return file.live || this.troubles.unreadable.has(file.path) || file.size === 0;
  }
}

/** Whether the stream's live file is there and cannot be told yet. */
function awaitsLive({ path }: Stream, identified: readonly Identified[]): boolean {
  return identified.some(({ stream, file, identity }) => stream === path && file.live && identity.kind === 'unready');
}
