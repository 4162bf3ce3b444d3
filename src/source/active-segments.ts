import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import type { FoundFile } from './discovery.ts';
import type { Known, KnownSegments } from './known-segments.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { Segment } from './segment.ts';
import type { SegmentFile } from './segment-file.ts';

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
  readonly #sinks: readonly string[];
  readonly #readFrom: 'head' | 'tail';

  constructor(
    known: KnownSegments,
    records: SegmentRecords,
    options: { sinks: readonly string[]; readFrom: 'head' | 'tail' },
  ) {
    this.#known = known;
    this.#records = records;
    this.#sinks = options.sinks;
    this.#readFrom = options.readFrom;
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
    const { sizeSeen } = known.row;
    return (!file.gzip && file.size > sizeSeen) || this.offsets(known).some((offset) => offset < sizeSeen);
  }

  /** Opens the segment's file at its durable place. */
  async activate(known: Known, file: FoundFile): Promise<void> {
    if (this.all().length >= MAX_HELD_SEGMENTS) return;
    const segment = new Segment(known.row, { live: file.live });
    segment.file = await openSegmentFile(file);
    known.segment = segment;
    known.stream.segments.push(segment);
    this.restore(segment);
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

  /** Takes the segment's reader to what is durable. */
  restore(segment: Segment): void {
    segment.restore(this.offsets(this.knownOf(segment)), this.#records.anchors(segment.id));
  }

  /** Each sink's durable offset, by index. A sink that was added later starts as `read_from` says. */
  offsets(known: Known): number[] {
    const offsets = this.#records.offsets(known.id);
    const unknown = this.#readFrom === 'tail' ? known.row.sizeSeen : 0;
    return this.#sinks.map((sink) => offsets.get(sink) ?? unknown);
  }

  /** Oldest first, by the time of the first event. */
  sort(): void {
    for (const { segments } of this.#known.streams.values()) {
      segments.sort(
        (a, b) => (a.firstTime ?? 0) - (b.firstTime ?? 0) || Number(a.live) - Number(b.live) || a.id - b.id,
      );
    }
  }

  async close(): Promise<void> {
    for (const segment of this.open()) await segment.file.close();
  }
}

export function isOpen(segment: Segment): segment is OpenSegment {
  return segment.file !== undefined;
}
