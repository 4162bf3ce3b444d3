import path from 'node:path';
import type { Gap, GapRecords } from '../checkpoint/gap-records.ts';
import type { SegmentProgress, SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SourceConfig } from '../config/types.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import { type Discovery, discover, type FoundFile } from './discovery.ts';
import { gapRange } from './gap-range.ts';
import { GzipFile } from './gzip-file.ts';
import { readHead } from './head.ts';
import { type Identified, Identifier } from './identify.ts';
import { type Known, KnownSegments, type Stream } from './known-segments.ts';
import type { LineHandler } from './line-handler.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { findResumeOffset } from './resume-offset.ts';
import { Segment } from './segment.ts';
import { firstEventTime, lastNewline } from './segment-edges.ts';
import type { SegmentFile } from './segment-file.ts';
import { SegmentReader } from './segment-reader.ts';

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

/** Segments that are held open at once; further ones are opened in their turn. */
const MAX_HELD_SEGMENTS = 1024;

type OpenSegment = Segment & { file: SegmentFile };

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
  /** Paths that could not be read at the last sweep. */
  readonly unreadable = new Set<string>();
  gapsTold = 0;
  readonly #deps: SourceDeps;
  readonly #reader: SegmentReader;
  readonly #identifier: Identifier;
  /** Ended segments that need not be read again before something changes. */
  readonly #ended = new Set<Segment>();
  #undecided = 0;
  #sweepWanted = false;

  constructor(config: SourceConfig, deps: SourceDeps) {
    this.config = config;
    this.#deps = deps;
    this.known = new KnownSegments(deps.records, config.name);
    this.#reader = new SegmentReader(deps.handler, config.maxLineBytes);
    this.#identifier = new Identifier(this.known, {
      isStill: (file) => deps.now() - file.modifiedMs >= config.rotateWaitMs,
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
    return (
      this.#undecided === 0 &&
      this.#active().every((segment) => segment.finished || (segment.live && this.#ended.has(segment)))
    );
  }

  /** Segments that are being read, in reading order. */
  segments(): readonly Segment[] {
    return this.#active();
  }

  /** Whether all whole lines that the segment had at the last look were taken. */
  hasEnded(segment: Segment): boolean {
    return this.#ended.has(segment);
  }

  /** Something may have been written: look at the ends again. */
  hint(): void {
    this.#ended.clear();
  }

  async sweep(): Promise<void> {
    this.#sweepWanted = false;
    this.unreadable.clear();
    this.hint();
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
    if (identified.length === 0 && this.#active().length === 0) this.#deps.occurrences.nothingFound(this.config.path);
    else if (isFirstStart && identified.length > 0) this.#deps.records.markStarted(this.config.name, this.#deps.now());
    this.#sort();
    this.#tellDeletedLiveFiles(identified);
    await this.#resolveMissing(identified);
    await this.#limitHeldBytes();
    const present = new Set(identified.map(({ identity }) => (identity.kind === 'known' ? identity.known : undefined)));
    this.known.forgetOldest((known) => present.has(known));
  }

  /** Takes one chunk from each stream, oldest segment first; whether anything was taken. */
  async poll(): Promise<boolean> {
    let progressed = false;
    for (const stream of this.known.streams.values()) progressed = (await this.#pollStream(stream)) || progressed;
    return progressed;
  }

  /** What a commit has to store now, with the segments it is of. */
  progress(): { segment: Segment; progress: SegmentProgress; position: number }[] {
    return this.#active()
      .filter((segment) => segment.uncommitted)
      .map((segment) => ({ segment, progress: segment.progress(this.#deps.sinks), position: segment.position }));
  }

  /** The commit that stored this progress is durable; finished segments are let go. */
  async committed(segment: Segment, progress: SegmentProgress, position: number): Promise<void> {
    segment.committed(progress, position);
    const known = this.known.get(segment.id)!;
    const { sizeSeen, firstTime, lastTime, finished } = progress;
    known.row = { ...known.row, sizeSeen, firstTime, lastTime, finished };
    if (!segment.settled) return;
    this.#deps.occurrences.segmentFinished(segment.path, position);
    await this.#release(known);
  }

  /** Takes every reader back to what is durable. */
  rewind(): void {
    for (const segment of this.#active()) this.#restore(segment);
    this.#ended.clear();
  }

  async close(): Promise<void> {
    for (const segment of this.#active()) await segment.file?.close();
  }

  async #pollStream(stream: Stream): Promise<boolean> {
    for (const segment of stream.segments) {
      if (segment.finished || this.#ended.has(segment) || !isOpen(segment)) continue;
      try {
        const outcome = await this.#reader.step(segment);
        if (outcome === 'lines') return true;
        if (outcome === 'changed' || (await this.#atEnd(segment)) === 'changed') {
          await this.#resolveChange(segment);
          return true;
        }
      } catch (error) {
        this.#unreadable(segment.path, error);
        this.#ended.add(segment);
      }
    }
    return false;
  }

  async #atEnd(segment: OpenSegment): Promise<'changed' | 'end'> {
    if (segment.live) {
      this.#ended.add(segment);
      return 'end';
    }
    if (segment.uncommitted) this.#deps.requestCommit();
    if (!segment.isStill(await segment.file.stat(), this.config.rotateWaitMs, this.#deps.now())) {
      this.#ended.add(segment);
      return 'end';
    }
    if ((await this.#reader.finish(segment)) === 'changed') return 'changed';
    const damage = segment.file instanceof GzipFile ? await segment.file.damage() : undefined;
    if (damage !== undefined) this.#tellGap(this.known.get(segment.id)!, damagedGap(segment, damage));
    segment.finished = true;
    this.#deps.requestCommit();
    return 'end';
  }

  /** The content before the position is not what was read there. */
  async #resolveChange(segment: OpenSegment): Promise<void> {
    await this.#deps.commit();
    const known = this.known.get(segment.id)!;
    const { position, sizeSeen } = segment;
    const isSame = !segment.file.gzip && (await readHead(segment.file))?.hash === segment.head;
    if (!isSame) {
      this.#deps.occurrences.truncated(segment.path, position);
      known.row = { ...known.row, sizeSeen };
      await this.#release(known);
      known.missingSince = this.#deps.now();
      known.lostHow = 'truncated';
      this.#sweepWanted = true;
      return;
    }
    const resume = await findResumeOffset(segment.file, this.#deps.records.anchors(segment.id));
    const reason = 'the file was cut back before it was read to its end';
    if (sizeSeen > position) this.#tellGap(known, { ...gapOf(segment), endOffset: sizeSeen, reason });
    this.#deps.records.cutBack(segment.id, resume);
    this.#restore(segment);
    segment.sizeSeen = (await segment.file.stat()).size;
    this.#deps.occurrences.cutBack(segment.path, position, resume);
  }

  async #apply({ file, stream, identity }: Identified, isFirstStart: boolean): Promise<void> {
    try {
      if (identity.kind === 'new') await this.#begin(this.known.stream(stream), file, identity.head, isFirstStart);
      else if (identity.kind === 'known') await this.#place(identity.known, file);
    } catch (error) {
      this.#unreadable(file.path, error);
    }
  }

  async #begin(stream: Stream, file: FoundFile, head: string, isFirstStart: boolean): Promise<void> {
    const open = await openSegmentFile(file);
    try {
      const isTail = isFirstStart && this.config.readFrom === 'tail';
      const start = isTail && !file.gzip ? (file.live ? await lastNewline(open) : file.size) : 0;
      const firstTime = await firstEventTime(open, this.#deps.handler);
      const { device, inode, path: place } = file;
      const row = {
        stream: stream.id,
        device,
        inode,
        head,
        path: place,
        sizeSeen: start,
        firstTime: firstTime ?? file.modifiedMs,
        lastTime: undefined,
        finished: isTail && !file.live,
      };
      const id = this.#deps.records.add(row, new Map(this.#deps.sinks.map((sink) => [sink, start])), this.#deps.now());
      const known = this.known.add(stream, { ...row, id });
      this.#deps.occurrences.segmentFound(place, stream.path, start);
      if (!row.finished) await this.#activate(known, file);
    } finally {
      await open.close();
    }
  }

  /** A known segment's file was found, perhaps at a new place. */
  async #place(known: Known, file: FoundFile): Promise<void> {
    known.missingSince = undefined;
    const { segment } = known;
    if (segment?.file !== undefined) {
      if (segment.live && !file.live) this.#deps.occurrences.segmentRotated(known.path, file.path);
      segment.live = file.live;
    } else if (this.#needsReading(known, file)) {
      await this.#activate(known, file);
    }
    this.known.relocate(known, file);
  }

  #needsReading(known: Known, file: FoundFile): boolean {
    if (!known.row.finished) return true;
    const { sizeSeen } = known.row;
    return (!file.gzip && file.size > sizeSeen) || this.#offsets(known).some((offset) => offset < sizeSeen);
  }

  async #activate(known: Known, file: FoundFile): Promise<void> {
    if (this.#active().length >= MAX_HELD_SEGMENTS) return;
    const segment = new Segment(known.row, { live: file.live });
    segment.file = await openSegmentFile(file);
    known.segment = segment;
    known.stream.segments.push(segment);
    this.#restore(segment);
    if (!file.gzip) segment.sizeSeen = Math.max(segment.sizeSeen, file.size);
  }

  async #release(known: Known): Promise<void> {
    const { segment } = known;
    if (segment === undefined) return;
    known.segment = undefined;
    known.stream.segments = known.stream.segments.filter((other) => other !== segment);
    this.#ended.delete(segment);
    const { file } = segment;
    segment.file = undefined;
    await file?.close();
  }

  #restore(segment: Segment): void {
    segment.restore(this.#offsets(this.known.get(segment.id)!), this.#deps.records.anchors(segment.id));
  }

  /** Each sink's durable offset, by index. A sink that was added later starts as `read_from` says. */
  #offsets(known: Known): number[] {
    const offsets = this.#deps.records.offsets(known.id);
    const unknown = this.config.readFrom === 'tail' ? known.row.sizeSeen : 0;
    return this.#deps.sinks.map((sink) => offsets.get(sink) ?? unknown);
  }

  /** A file that changed under its reader must be told before others are compared with it. */
  async #checkOpenFiles(): Promise<void> {
    for (const segment of this.#active().filter(isOpen)) {
      try {
        const { size, links } = await segment.file.stat();
        segment.links = links;
        if (await this.#reader.isIntact(segment)) segment.sizeSeen = Math.max(segment.sizeSeen, size);
        else await this.#resolveChange(segment);
      } catch (error) {
        this.#unreadable(segment.path, error);
      }
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

  /** Segments that are unread and nowhere to be found are gaps, once nobody can be about to bring them back. */
  async #resolveMissing(identified: readonly Identified[]): Promise<void> {
    const unready = identified.filter(
      ({ identity, file }) => identity.kind === 'unready' && !this.unreadable.has(file.path),
    );
    const heads = new Set(unready.map(({ identity }) => (identity.kind === 'unready' ? identity.head : undefined)));
    const present = new Set(identified.map(({ identity }) => (identity.kind === 'known' ? identity.known : undefined)));
    this.#undecided = unready.filter(({ file }) => !file.live).length;
    for (const known of this.known) {
      if (known.row.finished || known.segment !== undefined || present.has(known) || heads.has(known.head)) continue;
      known.missingSince ??= this.#deps.now();
      if (this.#deps.now() - known.missingSince < this.config.rotateWaitMs) {
        this.#undecided += 1;
        continue;
      }
      const { path: place, row } = known;
      const position = Math.min(...this.#offsets(known));
      const lost = { path: place, position, sizeSeen: row.sizeSeen, lastTime: row.lastTime, how: known.lostHow };
      const gap = gapRange(lost, path.basename(place), this.#timeAfter(known));
      if (gap === undefined) this.#deps.records.finish(known.id);
      else this.#tellGap(known, gap, { finish: true });
      known.row = { ...row, finished: true };
    }
  }

  async #limitHeldBytes(): Promise<void> {
    const deleted = this.#active().filter((segment) => segment.links === 0 && !segment.live);
    let held = deleted.reduce((sum, segment) => sum + segment.unread, 0);
    for (const segment of deleted) {
      if (held <= this.config.heldBytes) return;
      await this.#deps.commit();
      held -= segment.unread;
      const known = this.known.get(segment.id)!;
      const reason = 'more deleted but unread bytes than held_bytes allows';
      this.#tellGap(known, { ...gapOf(segment), endOffset: segment.sizeSeen, reason }, { finish: true });
      known.row = { ...known.row, finished: true };
      await this.#release(known);
    }
  }

  #tellGap(known: Known, gap: Gap, options: { finish: boolean } = { finish: false }): void {
    this.gapsTold += 1;
    this.#deps.gaps.add(known.stream.id, gap, this.#deps.now(), options.finish ? known.id : undefined);
    this.#deps.occurrences.gap(known.stream.path, gap);
  }

  #timeAfter(lost: Known): number | undefined {
    const times = lost.stream.segments.map(({ firstTime }) => firstTime).filter((time) => time !== undefined);
    const later = times.filter((time) => time >= (lost.row.lastTime ?? 0));
    return later.length === 0 ? undefined : Math.min(...later);
  }

  #sort(): void {
    for (const { segments } of this.known.streams.values()) {
      segments.sort(
        (a, b) => (a.firstTime ?? 0) - (b.firstTime ?? 0) || Number(a.live) - Number(b.live) || a.id - b.id,
      );
    }
  }

  #active(): Segment[] {
    return [...this.known.streams.values()].flatMap(({ segments }) => segments);
  }

  #unreadable(file: string, error: unknown): void {
    this.unreadable.add(file);
    this.#deps.occurrences.unreadable(file, error);
  }
}

function isOpen(segment: Segment): segment is OpenSegment {
  return segment.file !== undefined;
}

function gapOf(segment: Segment): Pick<Gap, 'path' | 'startOffset' | 'beforeTime' | 'afterTime'> {
  return { path: segment.path, startOffset: segment.position, beforeTime: segment.lastTime, afterTime: undefined };
}

function damagedGap(segment: Segment, damage: string): Gap {
  return { ...gapOf(segment), endOffset: undefined, reason: `the gzip part is damaged: ${damage}` };
}
