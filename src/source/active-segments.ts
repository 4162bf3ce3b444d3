import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SourceConfig } from '../config/types.ts';
import type { FoundFile } from './discovery.ts';
import type { Identified } from './identify.ts';
import type { Known, KnownSegments } from './known-segments.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { leadingOffset, Segment } from './segment.ts';
import type { SegmentFile } from './segment-file.ts';
import type { SinkPlace } from './sink-place.ts';
import type { SourceDeps } from './source-deps.ts';

export type OpenSegment = Segment & { file: SegmentFile };

/** Segments that are held open at once; further ones are opened in their turn. */
const MAX_HELD_SEGMENTS = 1024;

/**
 * The segments that are being read. Each is opened as soon as it is seen and held until it is finished and committed,
 * so that renaming, gzipping and deleting its file lose nothing.
 */
export class ActiveSegments {
  readonly #known: KnownSegments;
  readonly #records: SegmentRecords;
  readonly #sinks: readonly SinkPlace[];
  readonly #occurrences: SourceDeps['occurrences'];
  readonly #readFrom: 'head' | 'tail';
  readonly #endsWithName: boolean;

  constructor(
    known: KnownSegments,
    records: SegmentRecords,
    options: Pick<SourceDeps, 'sinks' | 'occurrences' | 'held'> & { config: SourceConfig },
  ) {
    this.#known = known;
    this.#records = records;
    this.#sinks = options.sinks;
    this.#occurrences = options.occurrences;
    this.#readFrom = options.config.readFrom;
    // What writes a container's log is gone before its file is.
    this.#endsWithName = options.config.format !== 'json';
    for (const segment of options.held ?? []) this.#goOn(segment);
  }

  /** In reading order within each stream. */
  all(): Segment[] {
    return [...this.#known.streams.values()].flatMap(({ segments }) => segments);
  }

  open(): OpenSegment[] {
    return this.all().filter(isOpen);
  }

  knownOf(segment: Segment): Known {
    return this.#known.get(segment.id)!;
  }

  /** Whether a file of this segment has anything that a sink still lacks. */
  needsReading(known: Known, file: FoundFile): boolean {
    if (!known.row.finished) return true;
    if (!file.gzip && file.size > known.row.sizeSeen) return true;
    if (this.#isLacked(known)) return true;
    // A sink that lacks the end of the segment before needs what of it stands here.
    const before = known.row.headOf === undefined ? undefined : this.#known.get(known.row.headOf);
    return before !== undefined && this.#isLacked(before);
  }

  #isLacked(known: Known): boolean {
    return this.offsets(known).some((offset) => offset < known.row.sizeSeen);
  }

  /** Opens the segment's file at its durable place; false when so many are open that it has to wait its turn. */
  async activate(known: Known, file: FoundFile): Promise<boolean> {
    if (this.all().length >= MAX_HELD_SEGMENTS) return false;
    const segment = new Segment(known.row, { live: file.live, sinks: this.#sinks });
    segment.file = await openSegmentFile(file);
    // What was seen stood in this very file, and not in one that it was copied from.
    const isSame = file.device === known.device && file.inode === known.inode;
    if (isSame && !file.gzip) segment.fileSize = known.row.sizeSeen;
    known.segment = segment;
    known.stream.segments.push(segment);
    this.restore(segment);
    return true;
  }

  /** With a segment of the source before this one, whose file may have no name by now. */
  #goOn(before: Segment): void {
    const { id, file, live, isFresh, sizeSeen, fileSize, leastSize, links, deletionTold, headOf, headBytes } = before;
    const known = this.#known.get(id);
    if (known === undefined) return;
    before.drop();
    // Of one that its writer has just left a power loss may still take the end.
    const segment = new Segment(known.row, { live: live || isFresh, sinks: this.#sinks });
    segment.live = live;
    segment.file = file;
    segment.links = links;
    segment.deletionTold = deletionTold;
    segment.headOf = headOf;
    segment.headBytes = headBytes;
    segment.sizeSeen = Math.max(segment.sizeSeen, sizeSeen);
    segment.fileSize = fileSize;
    segment.leastSize = leastSize;
    segment.dropped = before.dropped;
    known.segment = segment;
    known.stream.segments.push(segment);
    this.restore(segment);
    if (file === undefined) segment.giveUpRest();
  }

  /**
   * Lets go of the segments that every sink has for good. For the loop to call between two steps: where a commit ends
   * there may be a sweep beside it, which is just comparing a copy with the file.
   */
  async releaseSettled(): Promise<void> {
    for (const segment of this.all()) {
      if (!segment.settled || this.#isHeadNeeded(segment)) continue;
      if (isOpen(segment)) this.#occurrences.segmentFinished(segment.path, segment.position);
      await this.release(this.knownOf(segment));
      for (const { pace } of this.#sinks) pace?.ledger.forget(segment.id);
    }
  }

  /** The last line of a segment that a sink may still lack goes on in this one. */
  #isHeadNeeded({ headOf }: Segment): boolean {
    return headOf !== undefined && this.#known.get(headOf)?.segment !== undefined;
  }

  async release(known: Known): Promise<void> {
    const { segment } = known;
    if (segment === undefined) return;
    known.segment = undefined;
    known.stream.segments = known.stream.segments.filter((other) => other !== segment);
    const { file } = segment;
    segment.file = undefined;
    await file?.close();
  }

  /**
   * Nothing is left to be read of a segment. Its place is kept, without a file, until sinks at their own pace have taken
   * what they hold of it in memory.
   */
  async giveUp(known: Known): Promise<void> {
    const segment = known.segment ?? new Segment(known.row, { live: false, sinks: this.#sinks });
    if (known.segment === undefined) {
      known.segment = segment;
      known.stream.segments.push(segment);
      this.restore(segment);
    }
    segment.giveUpRest();
    const { file } = segment;
    segment.file = undefined;
    await file?.close();
  }

  /** Takes the segment's reader to what is durable. What a sink at its own pace was handed is not handed to it again. */
  restore(segment: Segment): void {
    const { id } = segment;
    const known = this.knownOf(segment);
    const { headOf, headBytes } = segment;
    segment.headOf = known.row.headOf;
    segment.headBytes = known.row.headBytes;
    // Sinks at their own pace alone have got what is behind a head that no commit has stored yet: nobody joins it again.
    if (headBytes > segment.headBytes && leadingOffset(this.places(known), this.#sinks) >= headBytes) {
      segment.headOf = headOf;
      segment.headBytes = headBytes;
    }
    segment.restore(this.places(known), this.#records.anchors(id), this.#records.offsets(id));
  }

  /** By index: up to where each sink was handed the segment in this run, else its durable offset. */
  places(known: Known): number[] {
    const durable = this.offsets(known);
    const { headBytes } = known.segment ?? known.row;
    return this.#sinks.map(({ pace }, index) =>
      Math.max(headBytes, pace?.ledger.handedTo(known.id) ?? durable[index]!),
    );
  }

  /** Where the shared reader of the segment stands, or would stand. */
  positionOf(known: Known): number {
    return known.segment?.position ?? leadingOffset(this.places(known), this.#sinks);
  }

  /** The segment's file lost what was behind `offset`, which may be written again with other lines. */
  cutBack(segment: Segment, offset: number): void {
    for (const { pace } of this.#sinks) {
      const handed = pace?.ledger.handedTo(segment.id);
      if (handed !== undefined && handed > offset) pace!.ledger.restart(segment.id, offset);
    }
    const { row } = this.knownOf(segment);
    this.knownOf(segment).row = {
      ...row,
      sizeSeen: Math.min(row.sizeSeen, offset),
      headBytes: Math.min(row.headBytes, offset),
    };
    this.restore(segment);
  }

  /** Each sink's durable offset, by index. A sink that was added later starts as `read_from` says. */
  offsets(known: Known): number[] {
    const offsets = this.#records.offsets(known.id);
    const unknown = this.#readFrom === 'tail' ? known.row.sizeSeen : 0;
    return this.#sinks.map(({ name }) => offsets.get(name) ?? unknown);
  }

  /** Tells how much was seen and is not read for every sink yet, and how much of it only open files keep. */
  tellUnread(): void {
    const bytes = { live: 0, rotated: 0, deleted: 0 };
    for (const { live, unread, links } of this.all()) {
      bytes[live ? 'live' : 'rotated'] += unread;
      if (links === 0) bytes.deleted += unread;
    }
    this.#occurrences.unread(bytes);
  }

  /** Oldest first, by the time of the first event. */
  sort(): void {
    for (const { segments } of this.#known.streams.values()) {
      segments.sort(
        (a, b) => (a.firstTime ?? 0) - (b.firstTime ?? 0) || Number(a.live) - Number(b.live) || a.id - b.id,
      );
    }
  }

  /**
   * Live segments whose name is gone. One that somebody else's new live file follows is a rotated one now, and so is the
   * log of a container that was removed. Any other is read on, since its writer may still append to it, and given here
   * once, to be told.
   */
  withoutName(identified: readonly Identified[]): Segment[] {
    const found = new Set(identified.map(({ file }) => `${file.device}:${file.inode}`));
    const nameless: Segment[] = [];
    for (const { path, segments } of this.#known.streams.values()) {
      const hasLive = identified.some((one) => one.stream === path && one.file.live);
      for (const segment of segments) {
        if (!segment.live || found.has(`${segment.device}:${segment.inode}`)) continue;
        if (hasLive || this.#endsWithName) segment.live = false;
        else if (segment.links === 0 && !segment.deletionTold) {
          segment.deletionTold = true;
          nameless.push(segment);
        }
      }
    }
    return nameless;
  }

  async close(): Promise<void> {
    for (const segment of this.open()) await segment.file.close();
  }
}

export function isOpen(segment: Segment): segment is OpenSegment {
  return segment.file !== undefined;
}
