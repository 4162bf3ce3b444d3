import type { GapRecords } from '../checkpoint/gap-records.ts';
import type { SegmentProgress, SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SourceConfig } from '../config/types.ts';
import { errorCode } from '../errors.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import { ActiveSegments, isOpen, type OpenSegment } from './active-segments.ts';
import { type Discovery, discover, type FoundFile } from './discovery.ts';
import { GapKeeper } from './gap-keeper.ts';
import { GzipFile } from './gzip-file.ts';
import { readHead } from './head.ts';
import { type Identified, Identifier } from './identify.ts';
import { type Known, KnownSegments, type Stream } from './known-segments.ts';
import type { LineHandler } from './line-handler.ts';
import { newSegmentRow } from './new-segment.ts';
import { findResumePoint } from './resume-point.ts';
import type { Segment } from './segment.ts';
import { type ReadOutcome, SegmentReader } from './segment-reader.ts';

export interface SourceDeps {
  readonly records: SegmentRecords;
  readonly gaps: GapRecords;
  readonly occurrences: SourceOccurrences;
  readonly handler: LineHandler;
  /** Names of the sinks; their order is that of `Segment.from`. */
  readonly sinks: readonly string[];
  /** Makes everything that was read so far durable. Called between two steps only. */
  readonly commit: () => Promise<void>;
  /** Asks for a commit soon: a rotated segment was read to its end, and its file may be pruned next. */
  readonly requestCommit: () => void;
  readonly now: () => number;
}

/** More moved files than this in a row are no rotation: they are told, and tried again with the next sweep. */
const MAX_MOVED_SWEEPS = 5;

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
  /** Paths that could not be read since the last sweep began. */
  readonly unreadable = new Set<string>();
  readonly #deps: SourceDeps;
  readonly #active: ActiveSegments;
  readonly #gaps: GapKeeper;
  readonly #reader: SegmentReader;
  readonly #identifier: Identifier;
  /** Segments whose whole lines were all taken: not read again before something changes. */
  readonly #ended = new Set<Segment>();
  #hints = 0;
  /** Files that only a later sweep can tell. */
  #undecided = 0;
  /** Segments that are opened when others have been finished. */
  #waiting = 0;
  #sweepWanted = false;
  /** Sweeps in a row that met a file which was moved between the look at its directory and its opening. */
  #movedSweeps = 0;
  #sawMoved = false;

  constructor(config: SourceConfig, deps: SourceDeps) {
    this.config = config;
    this.#deps = deps;
    this.known = new KnownSegments(deps.records, config.name);
    this.#active = new ActiveSegments(this.known, deps.records, { sinks: deps.sinks, readFrom: config.readFrom });
    this.#gaps = new GapKeeper({ ...deps, known: this.known, active: this.#active });
    this.#reader = new SegmentReader(deps.handler, config.maxLineBytes);
    this.#identifier = new Identifier(this.known, {
      now: deps.now,
      isStillSince: (ms) => deps.now() - ms >= config.rotateWaitMs,
      anchors: (known) => deps.records.anchors(known.id),
      isIntact: async (segment) => isOpen(segment) && (await this.#reader.isIntact(segment)),
      unreadable: (file, error) => this.#unreadable(file.path, error),
    });
  }

  /** Whether a change was found that only a sweep can resolve. */
  get wantsSweep(): boolean {
    return this.#sweepWanted;
  }

  /** All that exists was read, and nothing waits for a decision. A last line without newline of a live file is left. */
  get isDrained(): boolean {
    return !this.#sawMoved && this.#undecided === 0 && this.#active.all().every((segment) => this.#isDone(segment));
  }

  /** Whether it is left to a later sweep what became of a file or a segment: it may turn out to be a gap. */
  get isUndecided(): boolean {
    return this.#undecided > 0;
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
    return this.#ended.has(segment);
  }

  /** Something may have been written: look at the ends again. May come at any time, also in the middle of a step. */
  hint(): void {
    this.#hints += 1;
    this.#ended.clear();
  }

  /** Looks at the file system: what is new, what was renamed, gzipped, truncated or deleted. */
  async sweep(): Promise<void> {
    this.#sweepWanted = false;
    this.#sawMoved = false;
    this.#waiting = 0;
    this.unreadable.clear();
    this.hint();
    await this.#releaseSettled();
    let discovery: Discovery;
    try {
      discovery = await discover(this.config);
    } catch (error) {
      this.#unreadable(this.config.path, error);
      return;
    }
    this.directories = discovery.directories;
    await this.#checkOpenFiles();
    const identified = await this.#identifier.identify(discovery.streams);
    const isFirstStart = !this.#deps.records.wasStarted(this.config.name);
    for (const one of identified) await this.#apply(one, isFirstStart);
    if (isFirstStart) this.#deps.records.markStarted(this.config.name, this.#deps.now());
    if (identified.length === 0 && this.#active.all().length === 0)
      this.#deps.occurrences.nothingFound(this.config.path);
    this.#active.sort();
    this.#tellDeletedLiveFiles(identified);
    this.#undecided =
      this.#waiting +
      this.#gaps.resolveMissing(identified, this.config.rotateWaitMs) +
      identified.filter(({ identity, file }) => identity.kind === 'unready' && !this.#isLeft(file)).length;
    await this.#gaps.limitHeldBytes(this.config.heldBytes, this.#deps.commit);
    this.#movedSweeps = this.#sawMoved ? this.#movedSweeps + 1 : 0;
    if (this.#sawMoved) this.#sweepWanted = true;
    const present = new Set(identified.map(({ identity }) => (identity.kind === 'known' ? identity.known : undefined)));
    this.known.forgetOldest((known) => present.has(known));
  }

  /** Takes one chunk from each stream, oldest segment first; whether anything was taken. */
  async poll(): Promise<boolean> {
    await this.#releaseSettled();
    let progressed = false;
    for (const stream of this.known.streams.values()) progressed = (await this.#pollStream(stream)) || progressed;
    return progressed;
  }

  /** What a commit has to store now, with the segments it is of. */
  progress(): { segment: Segment; progress: SegmentProgress; position: number }[] {
    return this.#active
      .all()
      .filter((segment) => segment.uncommitted)
      .map((segment) => ({ segment, progress: segment.progress(this.#deps.sinks), position: segment.position }));
  }

  /** The commit that stored this progress is durable. Commits run beside sweeps, so nothing is closed here. */
  committed(segment: Segment, progress: SegmentProgress, position: number): void {
    segment.committed(progress, position);
    const known = this.#active.knownOf(segment);
    const { sizeSeen, firstTime, lastTime, finished } = progress;
    known.row = { ...known.row, sizeSeen, firstTime, lastTime, finished };
  }

  /** Takes every reader back to what is durable. */
  rewind(): void {
    for (const segment of this.#active.all()) this.#active.restore(segment);
    this.#ended.clear();
  }

  async close(): Promise<void> {
    await this.#releaseSettled();
    await this.#active.close();
  }

  /** Lets go of segments whose end is durable. */
  async #releaseSettled(): Promise<void> {
    for (const segment of this.#active.all()) {
      if (!segment.settled) continue;
      this.#deps.occurrences.segmentFinished(segment.path, segment.position);
      await this.#active.release(this.#active.knownOf(segment));
    }
  }

  async #pollStream(stream: Stream): Promise<boolean> {
    for (const segment of stream.segments) {
      if (segment.finished || this.#ended.has(segment) || !isOpen(segment)) continue;
      const outcome = await this.#step(segment);
      if (outcome === 'end') continue;
      if (outcome === 'changed') await this.#resolveChange(segment);
      return true;
    }
    return false;
  }

  async #step(segment: OpenSegment): Promise<ReadOutcome> {
    const hints = this.#hints;
    try {
      const outcome = await this.#reader.step(segment);
      if (outcome !== 'end') return outcome;
      const atEnd = await this.#atEnd(segment);
      // What was written after the look at the end would wait for the next sweep.
      if (atEnd === 'end' && !segment.finished && hints === this.#hints) this.#ended.add(segment);
      return atEnd;
    } catch (error) {
      if (!isReadError(error)) throw error;
      this.#unreadable(segment.path, error);
      this.#ended.add(segment);
      return 'end';
    }
  }

  async #atEnd(segment: OpenSegment): Promise<ReadOutcome> {
    if (!segment.live && segment.uncommitted) this.#deps.requestCommit();
    const stat = await segment.file.stat();
    const isStill = segment.isStill(stat, this.config.rotateWaitMs, this.#deps.now());
    if (segment.live || !isStill || stat.size !== segment.endAt) return 'end';
    if ((await this.#reader.finish(segment)) === 'changed') return 'changed';
    const damage = segment.file instanceof GzipFile ? await segment.file.damage() : undefined;
    if (damage !== undefined) this.#gaps.tellDamage(segment, damage);
    segment.finished = true;
    this.#deps.requestCommit();
    return 'end';
  }

  /** The content before the position is not what was read there. */
  async #resolveChange(segment: OpenSegment): Promise<void> {
    await this.#deps.commit();
    const known = this.#active.knownOf(segment);
    const { position, sizeSeen } = segment;
    const isSame = (await readHead(segment.file))?.hash === segment.head;
    if (!isSame) {
      this.#deps.occurrences.truncated(segment.path, position);
      known.row = { ...known.row, sizeSeen };
      known.missingSince = this.#deps.now();
      known.lostHow = 'truncated';
      await this.#active.release(known);
      this.#sweepWanted = true;
      return;
    }
    const resume = await findResumePoint(segment.file, this.#deps.records.anchors(segment.id));
    if (sizeSeen > position)
      this.#gaps.tellRest(segment, sizeSeen, 'the file was cut back before it was read to its end');
    this.#deps.records.cutBack(segment.id, resume.offset, resume.anchor);
    this.#active.restore(segment);
    segment.sizeSeen = (await segment.file.stat()).size;
    this.#deps.occurrences.cutBack(segment.path, position, resume.offset);
  }

  async #apply({ file, stream, identity }: Identified, isFirstStart: boolean): Promise<void> {
    try {
      if (identity.kind === 'new') await this.#begin(this.known.stream(stream), file, identity.head, isFirstStart);
      else if (identity.kind === 'known') await this.#place(identity.known, file);
    } catch (error) {
      if (!isReadError(error)) throw error;
      this.#unreadable(file.path, error);
    }
  }

  async #begin(stream: Stream, file: FoundFile, head: string, isFirstStart: boolean): Promise<void> {
    const { records, sinks, handler, occurrences, now } = this.#deps;
    const tail = isFirstStart && this.config.readFrom === 'tail';
    const row = await newSegmentRow(file, { stream: stream.id, head, tail, handler });
    const id = records.add(row, new Map(sinks.map((sink) => [sink, row.sizeSeen])), now());
    const known = this.known.add(stream, { ...row, id });
    occurrences.segmentFound(file.path, stream.path, row.sizeSeen);
    if (!row.finished) await this.#activate(known, file);
  }

  /** A known segment's file was found, perhaps at a new place. */
  async #place(known: Known, file: FoundFile): Promise<void> {
    known.missingSince = undefined;
    const { segment } = known;
    if (segment !== undefined) {
      if (segment.live && !file.live) this.#deps.occurrences.segmentRotated(known.path, file.path);
      segment.live = file.live;
    } else if (this.#active.needsReading(known, file)) {
      await this.#activate(known, file);
    }
    this.known.relocate(known, file);
  }

  /** What the file has counts as seen only while it still has what was read from it. */
  async #activate(known: Known, file: FoundFile): Promise<void> {
    await this.#active.activate(known, file);
    const { segment } = known;
    if (segment === undefined) this.#waiting += 1;
    if (segment === undefined || file.gzip || !isOpen(segment) || !(await this.#reader.isIntact(segment))) return;
    segment.sizeSeen = Math.max(segment.sizeSeen, file.size);
  }

  /** A file that changed under its reader must be told before others are compared with it. */
  async #checkOpenFiles(): Promise<void> {
    for (const segment of this.#active.open()) {
      try {
        const { size, links } = await segment.file.stat();
        segment.links = links;
        if (await this.#reader.isIntact(segment)) {
          segment.sizeSeen = Math.max(segment.sizeSeen, size);
          continue;
        }
      } catch (error) {
        if (!isReadError(error)) throw error;
        this.#unreadable(segment.path, error);
        continue;
      }
      await this.#resolveChange(segment);
    }
  }

  /** A live file that is gone is read on as long as nobody writes a new one: its writer may still append to it. */
  #tellDeletedLiveFiles(identified: readonly Identified[]): void {
    const found = new Set(identified.map(({ file }) => `${file.device}:${file.inode}`));
    for (const stream of this.known.streams.values()) {
      const hasLive = identified.some((one) => one.stream === stream.path && one.file.live);
      for (const segment of stream.segments) {
        if (!segment.live || found.has(`${segment.device}:${segment.inode}`)) continue;
        if (hasLive) segment.live = false;
        else if (segment.links === 0 && !segment.deletionTold) {
          segment.deletionTold = true;
          this.#deps.occurrences.liveFileDeleted(segment.path);
        }
      }
    }
  }

  #isDone(segment: Segment): boolean {
    if (segment.finished || this.unreadable.has(segment.path)) return true;
    return segment.live && this.#ended.has(segment);
  }

  /** A live file without a whole line yet, or one that cannot be read, is not waited for. */
  #isLeft(file: FoundFile): boolean {
    return file.live || this.unreadable.has(file.path) || file.size === 0;
  }

  #unreadable(file: string, error: unknown): void {
    // Rotation came in between: the next sweep finds the file at its new place.
    if (isMoved(error) && this.#movedSweeps < MAX_MOVED_SWEEPS) {
      this.#sawMoved = true;
      return;
    }
    this.unreadable.add(file);
    this.#deps.occurrences.unreadable(file, error);
  }
}

/** System errors of file calls are told and tried again; anything else is a failure of the agent. */
function isReadError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || errorCode(error) === 'NOT_A_FILE' || isMoved(error));
}

function isMoved(error: unknown): boolean {
  return ['ENOENT', 'FILE_MOVED'].includes(errorCode(error) ?? '');
}
