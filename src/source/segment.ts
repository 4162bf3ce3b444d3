import type { Anchor, SegmentProgress, SegmentRow } from '../checkpoint/segment-records.ts';
import type { Dropped } from './dropped.ts';
import { contentHash } from './head.ts';
import { LineDigests } from './line-digests.ts';
import type { SegmentFile, SegmentStat } from './segment-file.ts';
import type { SinkPlace } from './sink-place.ts';

/** Bytes before an offset that its anchor covers. */
export const ANCHOR_BYTES = 1024;

/**
 * A segment that is being read: its durable row, its open file, and the reader's place in it.
 *
 * `position` is the reader's place; what lies before it was handed to the sinks, but is durable only after a commit.
 */
export class Segment {
  readonly id: number;
  readonly stream: number;
  readonly head: string;
  device: bigint;
  inode: bigint;
  path: string;
  file: SegmentFile | undefined;
  position = 0;
  /** How far a line without an end was searched for its newline. */
  searchedTo = 0;
  /** Where the content ended when the reader found no more whole line. */
  endAt = 0;
  /** Bytes that its content was ever seen to have, whatever file they stood in. */
  sizeSeen: number;
  /** Bytes that the open file itself was seen to have: one that has fewer lost them. */
  fileSize = 0;
  /** Where it had fewer after that, and may have grown again since. */
  leastSize: number | undefined;
  links = 1;
  deletionTold = false;
  firstTime: number | undefined;
  lastTime: number | undefined;
  /** Read to its end for good; stored with the next commit. */
  finished: boolean;
  /** For each sink, by its index: lines before this offset are not for it. Infinity while it is not in step. */
  readonly from: number[] = [];
  /** Read once more, for a sink that is behind. */
  readonly isRepeat: boolean;
  readonly #sinks: readonly SinkPlace[];
  /** The anchor that `position` must still have; the content itself once something was read. */
  expected: Anchor | undefined;
  /** Of a container's log: see {@link SegmentRow.headOf}. */
  headOf: number | undefined;
  headBytes: number;
  readonly digests = new LineDigests();
  /** What a rewind dropped, until it was read again. */
  dropped: Dropped | undefined;
  readonly #tail = Buffer.alloc(ANCHOR_BYTES);
  #tailLength = 0;
  #lastSeen: { size: number; changedAt: number } | undefined;
  #committed: { position: number; finished: boolean; offsets: ReadonlyMap<string, number> } = {
    position: -1,
    finished: false,
    offsets: new Map(),
  };
  /** Digests of the lines that the commit under way holds. */
  #committing: Buffer | undefined;
  #live: boolean;
  #wasLive: boolean;

  constructor(row: SegmentRow, options: { live: boolean; sinks: readonly SinkPlace[]; isRepeat?: boolean }) {
    this.isRepeat = options.isRepeat === true;
    this.#sinks = options.sinks;
    this.id = row.id;
    this.stream = row.stream;
    this.head = row.head;
    this.device = row.device;
    this.inode = row.inode;
    this.path = row.path;
    this.sizeSeen = row.sizeSeen;
    this.firstTime = row.firstTime;
    this.lastTime = row.lastTime;
    this.finished = row.finished;
    this.headOf = row.headOf;
    this.headBytes = row.headBytes;
    this.#live = options.live;
    this.#wasLive = options.live;
  }

  /** The file that the writer appends to now. */
  get live(): boolean {
    return this.#live;
  }

  set live(live: boolean) {
    this.#live = live;
    this.#wasLive ||= live;
  }

  /** Whether a power loss of the host could still take its end: it was written to since it was opened. */
  get isFresh(): boolean {
    return this.#wasLive && this.file?.gzip === false;
  }

  /** Bytes that were seen and not yet read for every sink. */
  get unread(): number {
    const handed = this.#sinks.map(({ pace }) => pace?.ledger.handedTo(this.id) ?? this.position);
    return Math.max(0, this.sizeSeen - Math.min(this.position, ...handed));
  }

  /**
   * Whether the file has been left alone for `waitMs`. The file's own time counts for what happened before it was
   * first looked at; after that the agent's clock does, so that a file from the future does not wait for ever.
   */
  isStill(
    stat: Pick<SegmentStat, 'size' | 'modifiedMs'>,
    waitMs: number,
    { now, elapsed }: { readonly now: number; readonly elapsed: number },
  ): boolean {
    const { size, modifiedMs } = stat;
    if (this.#lastSeen === undefined) this.#lastSeen = { size, changedAt: elapsed - Math.max(0, now - modifiedMs) };
    else if (this.#lastSeen.size !== size) this.#lastSeen = { size, changedAt: elapsed };
    return elapsed - this.#lastSeen.changedAt >= waitMs;
  }

  /**
   * Sets the reader to what is durable: at the start, after a rewind, and where a log was cut back.
   *
   * @param offsets where each sink stands. Those at their own pace do not hold up the reader, unless there are no others.
   * @param stored the sinks' offsets that are durable, by name.
   */
  restore(offsets: readonly number[], anchors: readonly Anchor[], stored: ReadonlyMap<string, number>): void {
    this.from.splice(0, this.from.length, ...offsets);
    this.position = leadingOffset(offsets, this.#sinks);
    for (const [index, { pace }] of this.#sinks.entries()) pace?.ledger.restart(this.id, offsets[index]!);
    this.searchedTo = 0;
    this.finished = false;
    this.expected = anchors.find((anchor) => anchor.offset === this.position);
    this.#tailLength = 0;
    this.#committed = { position: this.position, finished: false, offsets: stored };
    this.digests.clear();
    this.#committing = undefined;
  }

  /** The open file has so many bytes at least. */
  sees(size: number): void {
    this.sizeSeen = Math.max(this.sizeSeen, size);
    if (this.file?.gzip === false) this.fileSize = Math.max(this.fileSize, size);
  }

  /** The open file ends at `size`. The least that it had since it lost its end, now or before; undefined where it did not. */
  shrunkTo(size: number): number | undefined {
    if (this.file?.gzip === false && size < this.fileSize) this.leastSize = Math.min(size, this.leastSize ?? size);
    return this.leastSize;
  }

  /** That the file lost its end was told: it has so many bytes now. */
  beginsAnewAt(size: number): void {
    this.fileSize = size;
    this.sizeSeen = size;
    this.leastSize = undefined;
  }

  /** Before {@link restore} takes the reader back: what was read and is not durable has to be found again. */
  drop(): void {
    const { tail, position } = this;
    const from = this.#committed.position;
    if (tail === undefined || position <= Math.max(from, this.dropped?.offset ?? 0) || this.file?.gzip !== false)
      return;
    const lines = Buffer.concat([this.#committing, this.digests.take()].filter((some) => some !== undefined));
    this.dropped = {
      ...{ from, offset: position, length: tail.length, hash: contentHash(tail) },
      lines: lines.length > 0 ? lines : undefined,
    };
  }

  /** Ends the segment where the reader is: what was behind that is nowhere to be read any more. */
  giveUpRest(): void {
    this.sizeSeen = this.position;
    this.finished = true;
  }

  /** The bytes before `position`, or undefined when only their anchor is known. */
  get tail(): Buffer | undefined {
    return this.#tailLength === Math.min(ANCHOR_BYTES, this.position)
      ? this.#tail.subarray(0, this.#tailLength)
      : undefined;
  }

  /** Moves the reader to `position`; `before` are content bytes that end there, as many as are at hand. */
  advance(position: number, before: Buffer): void {
    this.position = position;
    this.searchedTo = 0;
    this.#tailLength = Math.min(before.length, ANCHOR_BYTES);
    before.copy(this.#tail, 0, before.length - this.#tailLength);
  }

  get uncommitted(): boolean {
    return this.position !== this.#committed.position || this.finished !== this.#committed.finished;
  }

  /** Whether a commit has anything to store: what was read, or what sinks at their own pace have taken meanwhile. */
  get hasNews(): boolean {
    if (this.uncommitted) return true;
    const { offsets } = this.#committed;
    return this.#sinks.some(({ name, pace }) => pace?.ledger.takenTo(this.id) !== (pace && offsets.get(name)));
  }

  /** Whether a commit is durable that stored the segment as finished and taken by every sink. */
  get settled(): boolean {
    if (!this.#committed.finished || this.hasNews) return false;
    return this.#sinks.every(({ pace }) => {
      // Of what belongs to the segment before, a sink is handed nothing here.
      const taken = Math.max(this.headBytes, pace?.ledger.takenTo(this.id) ?? this.position);
      return taken >= this.position;
    });
  }

  /** What a commit stores; the state at this very moment. */
  progress(): SegmentProgress {
    const tail = this.tail;
    const lines = tail === undefined || tail.length === 0 ? undefined : this.digests.take();
    this.#committing = lines;
    return {
      id: this.id,
      sizeSeen: Math.max(this.sizeSeen, this.position),
      firstTime: this.firstTime,
      lastTime: this.lastTime,
      finished: this.finished,
      headOf: this.headOf,
      headBytes: this.headBytes,
      offsets: this.#offsets(),
      anchor:
        tail === undefined || tail.length === 0
          ? undefined
          : { offset: this.position, length: tail.length, hash: contentHash(tail), lines },
    };
  }

  /** The commit that stored this progress is durable. */
  committed(progress: SegmentProgress, position: number): void {
    this.#committed = { position, finished: progress.finished, offsets: progress.offsets };
    this.#committing = undefined;
  }

  #offsets(): Map<string, number> {
    return new Map(
      this.#sinks.map(({ name, pace }, index) => [
        name,
        pace === undefined ? Math.max(this.from[index] ?? 0, this.position) : (pace.ledger.takenTo(this.id) ?? 0),
      ]),
    );
  }
}

/** Where the shared reader stands, by where each sink does. */
export function leadingOffset(offsets: readonly number[], sinks: readonly SinkPlace[]): number {
  const together = offsets.filter((_, index) => sinks[index]?.pace === undefined);
  const leading = together.length > 0 ? together : offsets;
  return leading.length === 0 ? 0 : Math.min(...leading);
}
