import assert from 'node:assert/strict';
import { Ledger, type Pending } from '../../src/checkpoint/ledger.ts';
import type { SegmentRecords } from '../../src/checkpoint/segment-records.ts';
import type { Segment } from '../../src/source/segment.ts';
import type { SinkPace } from '../../src/source/sink-place.ts';

interface Group {
  readonly pending: Pending;
  readonly lines: string[];
}

/** A sink at its own pace, in the hands of a test: whether it has room, and what it takes in which order. */
export class PacedSink implements SinkPace {
  readonly name: string;
  ledger = new Ledger();
  hasRoom = true;
  /** Lines that it was handed, in that order, over all runs. */
  readonly handed: string[] = [];
  /** Where they stood, in the same order. */
  readonly places: { readonly segment: number; readonly offset: number }[] = [];
  /** Lines that its receiver has: what it was handed and did not take is gone with a crash. */
  readonly delivered: string[] = [];
  /** What it was told of being behind. */
  readonly behindTold: boolean[] = [];
  readonly #groupSize: number;
  #groups: Group[] = [];

  /** @param groupSize lines that are taken together. */
  constructor(name: string, groupSize = 3) {
    this.name = name;
    this.#groupSize = groupSize;
  }

  /** Groups that wait to be taken. */
  get waiting(): number {
    return this.#groups.length;
  }

  behind(isBehind: boolean): void {
    this.behindTold.push(isBehind);
  }

  /** Takes note of a line; one that is durably taken must never come again. */
  append(segment: Segment, offset: number, line: string, records: SegmentRecords): void {
    const durable = records.offsets(segment.id).get(this.name) ?? 0;
    assert.ok(offset >= durable, `${this.name} was handed ${offset} of ${segment.path} again, taken to ${durable}`);
    this.handed.push(line);
    this.places.push({ segment: segment.id, offset });
    let group = this.#groups.at(-1);
    if (group === undefined || group.lines.length >= this.#groupSize) {
      group = { pending: this.ledger.open(), lines: [] };
      this.#groups.push(group);
    }
    this.ledger.add(group.pending, segment.id, offset);
    group.lines.push(line);
  }

  /** Takes the n-th waiting group. */
  take(n: number): void {
    const [group] = this.#groups.splice(n % Math.max(1, this.#groups.length), 1);
    if (group === undefined) return;
    this.delivered.push(...group.lines);
    this.ledger.taken(group.pending);
  }

  takeAll(): void {
    while (this.#groups.length > 0) this.take(0);
  }

  /** What was in memory is gone. */
  restart(): void {
    this.ledger = new Ledger();
    this.#groups = [];
  }
}
