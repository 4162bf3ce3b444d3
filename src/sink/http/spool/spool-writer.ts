import type { Durability, HttpSinkConfig } from '../../../config/types.ts';
import { writeAll } from '../../file-io.ts';
import type { HttpEvent } from '../http-event.ts';
import { Segment, type SpoolRange } from './segment.ts';
import { encodeHeader, HEADER_BYTES } from './segment-header.ts';
import type { SegmentList } from './segment-list.ts';
import type { SpoolDirectory } from './spool-directory.ts';
import { spoolWriteError } from './spool-error.ts';
import { encodeRecords, recordBytes } from './spool-record.ts';

/** A segment is closed before it gets larger, unless one write is. A small spool has smaller ones, since room is made by whole files. */
const SEGMENT_BYTES = 16 * 1024 * 1024;
const LEAST_SEGMENTS = 8;

/** What waits to be written at most, plus one append. It is in memory only once: the caller's events. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Events that were appended together. */
export interface Append {
  readonly events: readonly HttpEvent[];
  readonly bytes: number;
  readonly isHeld: boolean;
  /** When it was acknowledged before it was written. */
  isAcknowledged: boolean;
  /** Settled when they are durable, or not in the spool at all. */
  readonly durable: Promise<void>;
  /** Where they are, if they are held; undefined until then. */
  range: SpoolRange | undefined;
}

/** Appends that are written and synced together. */
interface Group {
  readonly appends: Append[];
  readonly settled: PromiseWithResolvers<void>;
  /** Somebody waits for it. */
  isWanted: boolean;
}

/** Writes appended events to the newest segment of a spool, with one sync for all that wait for one. */
export class SpoolWriter {
  readonly #directory: SpoolDirectory;
  readonly #segments: SegmentList;
  readonly #config: HttpSinkConfig['spool'];
  readonly #durability: Durability;
  readonly #segmentBytes: number;
  #highest: number;
  #active: { readonly fd: number; readonly segment: Segment } | undefined;
  #open = newGroup();
  #writing: Group | undefined;
  #waitingBytes = 0;
  #waitingEvents = 0;

  constructor(options: {
    directory: SpoolDirectory;
    segments: SegmentList;
    config: HttpSinkConfig['spool'];
    durability: Durability;
    /** New segments get numbers above it. */
    highest: number;
  }) {
    this.#directory = options.directory;
    this.#segments = options.segments;
    this.#config = options.config;
    this.#durability = options.durability;
    this.#segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(options.config.maxBytes / LEAST_SEGMENTS));
    this.#highest = options.highest;
  }

  /** Appended and not yet settled. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get waitingEvents(): number {
    return this.#waitingEvents;
  }

  get hasRoom(): boolean {
    return this.#waitingBytes < MAX_WAITING_BYTES;
  }

  append(events: readonly HttpEvent[], isHeld: boolean): Append {
    const bytes = events.reduce((sum, event) => sum + recordBytes(event), 0);
    const durable = this.#open.settled.promise;
    const append: Append = { events, bytes, isHeld, isAcknowledged: false, durable, range: undefined };
    this.#open.appends.push(append);
    this.#waitingBytes += bytes;
    this.#waitingEvents += events.length;
    return append;
  }

  /** Settled when all that was appended before is. Rejects when some of it is not durable. */
  async flush(): Promise<void> {
    const before = [this.#writing, this.#open].flatMap((group) => (group === undefined ? [] : [group]));
    const wanted = before.filter(({ appends }) => appends.length > 0);
    for (const group of wanted) group.isWanted = true;
    if (this.#writing === undefined) void this.#run();
    await Promise.all(wanted.map(({ settled }) => settled.promise));
  }

  /** Closes the newest segment if nothing of it is to be sent any more, so that its file can be deleted. */
  async sealDone(): Promise<void> {
    const segment = this.#active?.segment;
    if (this.#writing === undefined && segment?.acknowledged === segment?.end) await this.#seal();
  }

  /** Writes what waits, and closes the file. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#seal();
    }
  }

  async #run(): Promise<void> {
    while (this.#open.isWanted) {
      const group = this.#open;
      this.#writing = group;
      this.#open = newGroup();
      try {
        await this.#write(group);
        group.settled.resolve();
      } catch (error) {
        group.settled.reject(spoolWriteError(this.#directory.path, error));
      }
      for (const { bytes, events } of group.appends) {
        this.#waitingBytes -= bytes;
        this.#waitingEvents -= events.length;
      }
      this.#writing = undefined;
    }
  }

  async #write({ appends }: Group): Promise<void> {
    // What was delivered meanwhile need not be kept; and what is empty has no place that could be acknowledged.
    const needed = appends.filter(({ isAcknowledged, events }) => !isAcknowledged && events.length > 0);
    const bytes = needed.reduce((sum, append) => sum + append.bytes, 0);
    if (bytes === 0) return;
    const newest = this.#active?.segment;
    // Nor is anything added to a file that cannot be read, or that somebody deleted.
    if (newest !== undefined && (newest.end + bytes > this.#segmentBytes || newest.damage !== undefined)) {
      await this.#seal();
    }
    await this.#makeRoom(bytes);
    const { fd, segment } = await this.#activeSegment();
    const isNew = segment.end === HEADER_BYTES;
    try {
      let end = segment.end;
      if (isNew) await writeAll(this.#directory.io, fd, this.#header(segment), 0);
      for (const piece of encodeRecords(eventsOf(needed), segment.number, segment.end)) {
        await writeAll(this.#directory.io, fd, piece, end);
        end += piece.length;
      }
      if (this.#durability === 'disk') await this.#directory.io.fdatasync(fd);
      if (isNew) await this.#directory.sync();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
    if (isNew) this.#segments.add(segment);
    this.#place(needed, segment);
  }

  /** The written appends are part of the spool from here on. */
  #place(appends: readonly Append[], segment: Segment): void {
    for (const append of appends) {
      const { events, bytes, isHeld } = append;
      const start = segment.end;
      segment.extend(start + bytes, events.length);
      if (!isHeld) continue;
      append.range = segment.hold(start, segment.end, events.length);
      if (append.isAcknowledged) segment.acknowledge(append.range);
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    if (this.#config.overflow !== 'drop_oldest') return;
    while (this.#segments.bytes + bytes > this.#config.maxBytes && (await this.#segments.dropOldest()));
  }

  async #activeSegment(): Promise<{ readonly fd: number; readonly segment: Segment }> {
    if (this.#active !== undefined) return this.#active;
    // A number is used once, also when its file could not be made.
    this.#highest += 1;
    const segment = new Segment(this.#highest, this.#directory.segmentPath(this.#highest));
    this.#active = { fd: await this.#directory.createSegment(segment.number), segment };
    return this.#active;
  }

  #header({ number }: Segment): Buffer {
    const previous = this.#segments.newest;
    return encodeHeader({ number, previous: previous?.number ?? 0, previousEnd: previous?.end ?? 0 });
  }

  /**
   * A write or a sync failed. Nobody knows what of it is on the disk, and a second sync would not tell, so this file is
   * never written to again. What it held before stays; where its torn end cannot be cut, the next header says where it ends.
   */
  async #abandon(): Promise<void> {
    const { fd, segment } = this.#active!;
    const { io } = this.#directory;
    await io.ftruncate(fd, segment.end === HEADER_BYTES ? 0 : segment.end).catch(() => undefined);
    await this.#seal();
    if (segment.end === HEADER_BYTES) await this.#directory.remove(segment.path).catch(() => undefined);
  }

  async #seal(): Promise<void> {
    if (this.#active === undefined) return;
    const { fd, segment } = this.#active;
    this.#active = undefined;
    segment.isSealed = true;
    // What the file holds is durable already: closing can only fail to tell of something else.
    await this.#directory.io.close(fd).catch(() => undefined);
  }
}

function newGroup(): Group {
  const settled = Promise.withResolvers<void>();
  // Whoever wants to know waits for it; nobody has to.
  settled.promise.catch(() => undefined);
  return { appends: [], settled, isWanted: false };
}

function* eventsOf(appends: readonly Append[]): Generator<HttpEvent> {
  for (const { events } of appends) yield* events;
}
