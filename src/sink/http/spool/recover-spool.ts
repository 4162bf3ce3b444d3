import type { SpoolPlace } from '../../../checkpoint/spool-records.ts';
import type { Overflow } from '../../../config/types.ts';
import { describeError } from '../../../errors.ts';
import type { HttpOccurrences } from '../../../telemetry/http-occurrences.ts';
import { readAt } from '../../file-io.ts';
import { isUnreadable } from './record-reader.ts';
import { Segment } from './segment.ts';
import { decodeHeader, HEADER_BYTES, type SegmentHeader } from './segment-header.ts';
import { type SegmentScan, scanSegment } from './segment-scan.ts';
import type { SpoolDirectory, SpoolListing } from './spool-directory.ts';

export interface RecoveredSpool {
  /** Those with events to send, in their order. */
  readonly segments: Segment[];
  /** No segment may get a number up to this one. */
  readonly highest: number;
}

interface FoundSegment {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  readonly header: SegmentHeader | undefined;
  /** Why the file cannot be read at all. */
  readonly error: unknown;
}

/** Brings the files of a spool into order after a stop of whatever kind. */
export class SpoolRecovery {
  readonly #directory: SpoolDirectory;
  readonly #place: SpoolPlace | undefined;
  readonly #overflow: Overflow;
  readonly #occurrences: HttpOccurrences;

  constructor(options: {
    directory: SpoolDirectory;
    /** Up to where everything was acknowledged, as far as that is durable. */
    place: SpoolPlace | undefined;
    overflow: Overflow;
    occurrences: HttpOccurrences;
  }) {
    this.#directory = options.directory;
    this.#place = options.place;
    this.#overflow = options.overflow;
    this.#occurrences = options.occurrences;
  }

  /** Throws what the file system says, and `SPOOL_VERSION`. */
  async run(): Promise<RecoveredSpool> {
    const listing = await this.#directory.list();
    const found: FoundSegment[] = [];
    for (const file of listing.segments) found.push(await this.#look(file));
    const segments: Segment[] = [];
    for (const [index, file] of found.entries()) {
      if (file.header !== undefined) this.#tellMissing(file.header, listing, index > 0);
      const segment = await this.#recover(file, found[index + 1]);
      if (segment !== undefined) segments.push(segment);
    }
    await this.#directory.sync();
    // A new segment with a number before the acknowledged place would be taken for delivered at the next start.
    return { segments, highest: Math.max(listing.highest, this.#place?.segment ?? 0) };
  }

  async #look(file: SpoolListing['segments'][number]): Promise<FoundSegment> {
    try {
      const { io } = this.#directory;
      const bytes = await this.#directory.reading(file.path, (fd) => readAt(io, fd, HEADER_BYTES, 0));
      return { ...file, header: decodeHeader(bytes, file.number, file.path), error: undefined };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return { ...file, header: undefined, error };
    }
  }

  /** The segment before this one had unacknowledged events and is not there. */
  #tellMissing({ previous, previousEnd }: SegmentHeader, listing: SpoolListing, isInMiddle: boolean): void {
    if (previous === 0 || listing.damaged.has(previous)) return;
    if (listing.segments.some(({ number }) => number === previous)) return;
    if (this.#place !== undefined && isBefore({ segment: previous, offset: previousEnd }, this.#place)) return;
    // The oldest ones may have made room, and that was told.
    if (this.#overflow === 'drop_oldest' && !isInMiddle) return;
    this.#occurrences.spoolDamaged(this.#directory.segmentPath(previous), 'the file is gone', 'nothing');
  }

  /** Undefined when there is nothing to send in it; then its file is gone. */
  async #recover(file: FoundSegment, next: FoundSegment | undefined): Promise<Segment | undefined> {
    // The next one was made when this one was not part of the spool: a failed write left it.
    if (next?.header !== undefined && next.header.previous < file.number) return this.#discard(file);
    if (this.#place !== undefined && file.number < this.#place.segment) return this.#leave(file, next);
    const knownEnd = endAsTold(file, next);
    const end = Math.min(knownEnd ?? file.size, file.size);
    const from = file.number === this.#place?.segment ? this.#place.offset : 0;
    const scan = await this.#scan(file, { from, end, mayBeTorn: next === undefined });
    if (typeof scan === 'string') return this.#putAside(file, scan);
    if (next === undefined && file.header === undefined && scan.events === 0) {
      if (file.size > 0) this.#occurrences.spoolTailCut(file.path, file.size);
      return this.#discard(file);
    }
    if (scan.end < end) await this.#cutTail(file, scan.end);
    const damage = damageOf(file, scan, knownEnd);
    if (scan.events === 0) return damage === undefined ? this.#discard(file) : this.#putAside(file, damage);
    // Nobody tells that the newest one was synced; one that a power loss takes away later would be told as damaged.
    if (next === undefined) await this.#directory.syncSegment(file.path);
    const segment = new Segment(file.number, file.path, scan.end);
    segment.isSealed = true;
    segment.resumeAt(scan.start, scan.events);
    segment.damage = damage;
    if (damage !== undefined) this.#tellDamage(file, damage);
    return segment;
  }

  /** It was sent; the end of its life, which depends on whether it is whole, was not reached before a crash. */
  async #leave(file: FoundSegment, next: FoundSegment | undefined): Promise<undefined> {
    const knownEnd = endAsTold(file, next);
    const end = Math.min(knownEnd ?? file.size, file.size);
    const scan = await this.#scan(file, { from: 0, end, mayBeTorn: next === undefined });
    if (typeof scan === 'string') return this.#putAside(file, scan);
    const isTorn = next === undefined && file.header === undefined && scan.events === 0;
    const damage = isTorn ? undefined : damageOf(file, scan, knownEnd);
    return damage === undefined ? this.#discard(file) : this.#putAside(file, damage);
  }

  async #scan(
    file: FoundSegment,
    options: { from: number; end: number; mayBeTorn: boolean },
  ): Promise<SegmentScan | string> {
    if (file.error !== undefined) return describeError(file.error);
    try {
      return await scanSegment(this.#directory, file, options);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return describeError(error);
    }
  }

  async #cutTail(file: FoundSegment, end: number): Promise<void> {
    await this.#directory.truncate(file.path, end);
    this.#occurrences.spoolTailCut(file.path, file.size - end);
  }

  async #putAside(file: FoundSegment, reason: string): Promise<undefined> {
    await this.#directory.putAside(file.number);
    this.#tellDamage(file, reason);
  }

  async #discard(file: FoundSegment): Promise<undefined> {
    await this.#directory.remove(file.path);
  }

  #tellDamage(file: FoundSegment, reason: string): void {
    this.#occurrences.spoolDamaged(file.path, reason, this.#directory.damagedPath(file.number));
  }
}

/** Where the durable records of a file end, as the one after it tells. */
function endAsTold({ number }: FoundSegment, next: FoundSegment | undefined): number | undefined {
  return next?.header?.previous === number ? next.header.previousEnd : undefined;
}

function damageOf(file: FoundSegment, scan: SegmentScan, knownEnd: number | undefined): string | undefined {
  if (file.header === undefined) return 'its header is damaged';
  if (scan.unreadable > 0) return `${scan.unreadable} bytes of it hold no readable record`;
  if (knownEnd !== undefined && file.size < knownEnd) return `its last ${knownEnd - file.size} bytes are missing`;
  return undefined;
}

function isBefore(one: SpoolPlace, other: SpoolPlace): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset <= other.offset);
}
