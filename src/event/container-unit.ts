import type { ContainerLine } from './container-line.ts';

const NEWLINE = 0x0a;

/** A buffer that grew for a large unit beyond this is not kept. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** What the lines of a unit are given to. */
export interface UnitTaker {
  /** Takes a line that the container wrote, [start, end) of `buffer`, which is reused after the call. */
  line(buffer: Buffer, start: number, end: number): void;
  /** Takes a line of the log that is none of its format. `errorOffset` is a place in `buffer`. */
  badLine(buffer: Buffer, start: number, end: number, errorOffset: number, reason: string): void;
}

/** A line that the container wrote, as the places of its parts; or with a fault a line that is none of the format. */
interface Item {
  readonly stream: number;
  /** Start and end of each part, in turn. */
  readonly parts: number[];
  readonly fault: { readonly at: number; readonly reason: string } | undefined;
}

/** The streams of `wanted` that are in the middle of a line behind the log's line [start, end), before which `open` were. */
export function openBehind(
  line: ContainerLine,
  wanted: number,
  open: number,
  place: { buffer: Buffer; start: number; end: number },
): number {
  if (!line.read(place.buffer, place.start, place.end) || (line.stream & wanted) === 0) return open;
  return line.isPartial ? open | line.stream : open & ~line.stream;
}

/**
 * Lines of a container's log that belong together: a unit begins and ends where no stream that is wanted is in the
 * middle of a line. Mostly it is one line; the parts of a long one are a unit, with what stands between them.
 */
export class ContainerUnit {
  /** Lines of streams that are not wanted. */
  otherLines = 0;
  readonly #line: ContainerLine;
  readonly #wanted: number;
  #done: Item[] = [];
  #open: Item[] = [];
  #scratch = Buffer.alloc(0);
  /** Of the line that is just given: its parts, and where in what they say it begins. */
  #given: readonly number[] = [];
  #givenFrom = 0;
  #buffer: Buffer = Buffer.alloc(0);

  /** @param wanted streams, as bits. */
  constructor(line: ContainerLine, wanted: number) {
    this.#line = line;
    this.#wanted = wanted;
  }

  /** Whether a stream is in the middle of a line. */
  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  /** Adds the line [start, end) of the log. All lines of a unit stand in one buffer. */
  add(buffer: Buffer, start: number, end: number): void {
    const line = this.#line;
    if (!line.read(buffer, start, end)) {
      const fault = { at: line.errorOffset, reason: line.errorReason };
      this.#done.push({ stream: 0, parts: [start, end], fault });
      return;
    }
    const { stream } = line;
    if ((stream & this.#wanted) === 0) {
      this.otherLines += 1;
      return;
    }
    let item = this.#open.find((one) => one.stream === stream);
    if (item === undefined) {
      item = { stream, parts: [], fault: undefined };
      if (line.isPartial) this.#open.push(item);
    } else if (!line.isPartial) {
      this.#open = this.#open.filter((one) => one !== item);
    }
    item.parts.push(line.start, line.end);
    if (!line.isPartial) this.#done.push(item);
  }

  /** Gives what was added, in the order in which it was complete, and begins anew. What is still open comes last, as it is. */
  take(buffer: Buffer, taker: UnitTaker): void {
    this.#buffer = buffer;
    for (const { parts, fault } of [...this.#done, ...this.#open]) {
      this.#given = parts;
      if (fault === undefined) this.#give(buffer, parts, taker);
      else taker.badLine(buffer, parts[0]!, parts[1]!, fault.at, fault.reason);
    }
    this.clear();
    if (this.#scratch.length > KEPT_BYTES) this.#scratch = Buffer.alloc(0);
  }

  clear(): void {
    this.#done = [];
    this.#open = [];
    this.otherLines = 0;
  }

  /** Where in the unit's buffer byte `index` of the line stands that is just given. */
  placeOf(index: number): number {
    let left = this.#givenFrom + index;
    const parts = this.#given;
    for (let part = 0; part < parts.length; part += 2) {
      const [start, end] = [parts[part]!, parts[part + 1]!];
      const length = this.#line.decode(this.#buffer, start, end, Buffer.alloc(end - start), 0);
      if (left < length || part + 2 === parts.length) return this.#line.place(this.#buffer, start, end, left);
      left -= length;
    }
    return parts[0] ?? 0;
  }

  #give(buffer: Buffer, parts: readonly number[], taker: UnitTaker): void {
    const line = this.#line;
    if (line.isVerbatim && parts.length === 2) {
      this.#givenFrom = 0;
      taker.line(buffer, parts[0]!, parts[1]!);
      return;
    }
    let end = 0;
    for (let part = 0; part < parts.length; part += 2) end += parts[part + 1]! - parts[part]!;
    if (end > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.#scratch.length));
    const scratch = this.#scratch;
    end = 0;
    for (let part = 0; part < parts.length; part += 2)
      end = line.decode(buffer, parts[part]!, parts[part + 1]!, scratch, end);
    // A newline in what a Docker line says ends a line of the container, as one at its end does.
    for (let start = 0; ; ) {
      const newline = scratch.subarray(0, end).indexOf(NEWLINE, start);
      this.#givenFrom = start;
      taker.line(scratch, start, newline < 0 ? end : newline);
      if (newline < 0) return;
      start = newline + 1;
    }
  }
}
