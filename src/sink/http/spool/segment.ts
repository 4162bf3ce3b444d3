import { HEADER_BYTES } from './segment-header.ts';

/** Records of one segment that somebody holds: read, or appended as held. An acknowledgement names it. */
export interface SpoolRange {
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
  readonly events: number;
  isAcknowledged: boolean;
}

/**
 * What is known of one file of the spool: how long it is, which of its records were given out, and the contiguous prefix
 * of them that was acknowledged. Offsets are those of the file.
 */
export class Segment {
  readonly number: number;
  readonly path: string;
  /** Where its durable records end. */
  end: number;
  /** Nothing more is written to it. */
  isSealed = false;
  /** Its file was deleted, or put aside. */
  isGone = false;
  /** What of it could not be read. Such a file is kept when it is done with. */
  damage: string | undefined;
  /** Events that are not acknowledged. */
  unacknowledged = 0;
  #acknowledged = HEADER_BYTES;
  #cursor = HEADER_BYTES;
  /** Given out or held, and not yet part of the acknowledged prefix; by their place. */
  readonly #ranges: SpoolRange[] = [];

  constructor(number: number, path: string, end = HEADER_BYTES) {
    this.number = number;
    this.path = path;
    this.end = end;
  }

  /** Everything before this offset was acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get isDone(): boolean {
    return this.isSealed && this.#acknowledged >= this.end;
  }

  /** A start: everything before `offset` was acknowledged in an earlier run. */
  resumeAt(offset: number, unacknowledged: number): void {
    this.#acknowledged = offset;
    this.#cursor = offset;
    this.unacknowledged = unacknowledged;
  }

  /** Records were written at the end and are durable. */
  extend(end: number, events: number): void {
    this.end = end;
    this.unacknowledged += events;
  }

  /** The next records that nobody holds, as a range of offsets; undefined when there are none. */
  unread(): { start: number; end: number } | undefined {
    let end = this.end;
    for (const range of this.#ranges) {
      if (range.end <= this.#cursor) continue;
      if (range.start > this.#cursor) {
        end = range.start;
        break;
      }
      this.#cursor = range.end;
    }
    return this.#cursor < end ? { start: this.#cursor, end } : undefined;
  }

  /** Somebody holds the records between two offsets. */
  hold(start: number, end: number, events: number): SpoolRange {
    const range: SpoolRange = { segment: this, start, end, events, isAcknowledged: false };
    const behind = this.#ranges.findLastIndex((other) => other.start < start);
    this.#ranges.splice(behind + 1, 0, range);
    return range;
  }

  /** May be repeated, in any order, and for a segment that is gone. */
  acknowledge(range: SpoolRange): void {
    if (range.isAcknowledged) return;
    range.isAcknowledged = true;
    this.unacknowledged -= range.events;
    let first = this.#ranges[0];
    while (first?.isAcknowledged === true && first.start === this.#acknowledged) {
      this.#acknowledged = first.end;
      this.#ranges.shift();
      first = this.#ranges[0];
    }
    this.#cursor = Math.max(this.#cursor, this.#acknowledged);
    // What could not be read will never be acknowledged one by one.
    if (this.#acknowledged >= this.end) this.unacknowledged = 0;
  }
}
