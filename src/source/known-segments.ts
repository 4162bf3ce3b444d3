import type { SegmentRecords, SegmentRow } from '../checkpoint/segment-records.ts';
import type { FoundFile } from './discovery.ts';
import type { Segment } from './segment.ts';

/** One logical log: a live file and all its rotated predecessors. */
export interface Stream {
  readonly id: number;
  readonly path: string;
  /** Those that are being read, oldest first. */
  segments: Segment[];
  /** At the last look its live file was too short to be told. */
  awaitsLive: boolean;
}

/** A segment that was ever seen, whether it is being read or long finished. */
export interface Known {
  readonly id: number;
  readonly stream: Stream;
  readonly head: string;
  device: bigint;
  inode: bigint;
  path: string;
  /** What is durable or newer. */
  row: SegmentRow;
  segment: Segment | undefined;
  /** Since when no file of it can be found, on the agent's clock. */
  missingSince: number | undefined;
  /** `truncated`: the agent saw its file being truncated or replaced. `gone`: it was not there when looked for. */
  lostHow: 'truncated' | 'gone';
}

/** Finished segments remembered for one stream: a file that comes back is known again. */
const MAX_FINISHED = 4096;

/** All segments of one source, found by their place or by their content. */
export class KnownSegments {
  readonly streams = new Map<string, Stream>();
  readonly #records: SegmentRecords;
  readonly #source: string;
  readonly #byId = new Map<number, Known>();
  readonly #byHead = new Map<string, Known[]>();

  constructor(records: SegmentRecords, source: string) {
    this.#records = records;
    this.#source = source;
    for (const { id, path } of records.streams(source)) {
      const stream: Stream = { id, path, segments: [], awaitsLive: false };
      this.streams.set(path, stream);
      for (const row of records.segments(id)) this.add(stream, row);
    }
  }

  /** The stream of a live path; a new one is stored. */
  stream(path: string): Stream {
    let stream = this.streams.get(path);
    if (stream === undefined) {
      stream = { id: this.#records.streamId(this.#source, path), path, segments: [], awaitsLive: false };
      this.streams.set(path, stream);
    }
    return stream;
  }

  add(stream: Stream, row: SegmentRow): Known {
    const { id, head, device, inode, path } = row;
    const known: Known = {
      id,
      stream,
      head,
      device,
      inode,
      path,
      row,
      segment: undefined,
      missingSince: undefined,
      lostHow: 'gone',
    };
    this.#byId.set(id, known);
    const same = this.#byHead.get(head);
    if (same === undefined) this.#byHead.set(head, [known]);
    else same.push(known);
    return known;
  }

  [Symbol.iterator](): IterableIterator<Known> {
    return this.#byId.values();
  }

  get(id: number): Known | undefined {
    return this.#byId.get(id);
  }

  withHead(head: string): readonly Known[] {
    return this.#byHead.get(head) ?? [];
  }

  /** The segment whose open file this is. A file that is open keeps its inode, so its place tells it for sure. */
  openAt(device: bigint, inode: bigint): Known | undefined {
    for (const { segments } of this.streams.values()) {
      for (const segment of segments) {
        if (segment.file !== undefined && segment.device === device && segment.inode === inode)
          return this.get(segment.id);
      }
    }
    return undefined;
  }

  /** @param mayGrow see {@link SegmentRow.mayGrow} */
  relocate(known: Known, { device, inode, path }: FoundFile, mayGrow: boolean): void {
    const isThere = known.device === device && known.inode === inode && known.path === path;
    if (isThere && known.row.mayGrow === mayGrow) return;
    const sizeSeen = Math.max(known.row.sizeSeen, known.segment?.sizeSeen ?? 0);
    const place = { device, inode, path, sizeSeen, mayGrow };
    this.#records.relocate(known.id, place);
    known.row = { ...known.row, sizeSeen, mayGrow };
    for (const target of known.segment === undefined ? [known] : [known, known.segment]) {
      target.device = place.device;
      target.inode = place.inode;
      target.path = place.path;
    }
  }

  /** Forgets finished segments whose files are gone, the oldest first, so that neither memory nor state grows for ever. */
  forgetOldest(isPresent: (known: Known) => boolean): void {
    for (const stream of this.streams.values()) {
      const gone = [...this.#byId.values()].filter(
        (known) => known.stream === stream && known.row.finished && known.segment === undefined && !isPresent(known),
      );
      const excess = gone.slice(0, Math.max(0, gone.length - MAX_FINISHED));
      if (excess.length === 0) continue;
      this.#records.forget(excess.map(({ id }) => id));
      for (const known of excess) {
        this.#byId.delete(known.id);
        const rest = this.withHead(known.head).filter((other) => other !== known);
        if (rest.length > 0) this.#byHead.set(known.head, rest);
        else this.#byHead.delete(known.head);
      }
    }
  }
}
