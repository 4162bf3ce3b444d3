/** Events that a sink was handed and has not taken yet. */
export interface Pending {
  /** By segment id: the offset of the first line among them. */
  readonly firstOffsets: Map<number, number>;
}

/**
 * How far one sink that takes at its own pace is in each segment: what it was handed, and the contiguous prefix that it
 * has taken (delivered, spooled, or made a dead letter). Its checkpoint moves over that prefix only.
 *
 * It lives as long as the sink does, over reloads: what was handed before one is not handed again after it.
 */
export class Ledger {
  /** Counts changes, so that a commit knows whether there is anything to store. */
  changes = 0;
  readonly #handed = new Map<number, number>();
  readonly #pending = new Set<Pending>();

  /** Ids of the segments that the sink was handed in this run and is not done with. */
  segments(): number[] {
    return [...this.#handed.keys()];
  }

  /** How far the segment was handed to the sink in this run; undefined when it never was. */
  handedTo(segment: number): number | undefined {
    return this.#handed.get(segment);
  }

  /** All lines of the segment before `offset` were handed to the sink, or are none of its. */
  handed(segment: number, offset: number): void {
    if (this.#handed.get(segment) === offset) return;
    this.#handed.set(segment, offset);
    this.changes += 1;
  }

  /** Where the sink stands in the segment when it is opened, or after its file lost its end. */
  restart(segment: number, offset: number): void {
    this.#handed.set(segment, offset);
  }

  /** Begins a group of events that will be taken together. */
  open(): Pending {
    const pending: Pending = { firstOffsets: new Map() };
    this.#pending.add(pending);
    return pending;
  }

  /** An event belongs to the group. */
  add(pending: Pending, segment: number, offset: number): void {
    const first = pending.firstOffsets.get(segment);
    // Offsets come in ascending order, but for a log that was cut back: its next lines begin further up.
    if (first === undefined || offset < first) pending.firstOffsets.set(segment, offset);
  }

  /** The group's events were taken. May be repeated. */
  taken(pending: Pending): void {
    if (this.#pending.delete(pending)) this.changes += 1;
  }

  /** How far the sink has taken the segment; undefined when it was handed nothing of it in this run. */
  takenTo(segment: number): number | undefined {
    let taken = this.#handed.get(segment);
    if (taken === undefined) return undefined;
    for (const { firstOffsets } of this.#pending) taken = Math.min(taken, firstOffsets.get(segment) ?? taken);
    return taken;
  }

  /** The segment is done with and will not be asked for again. */
  forget(segment: number): void {
    this.#handed.delete(segment);
  }
}
