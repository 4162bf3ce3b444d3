import type { SourceStream } from '../config/types.ts';
import type { ChunkMemory } from '../event/chunk-memory.ts';
import { type ContainerFormat, containerLine, streamBits } from '../event/container-format.ts';
import type { ContainerLine } from '../event/container-line.ts';
import { ContainerUnit, openBehind } from '../event/container-unit.ts';
import type { Chunk, Framing } from './framing.ts';
import { skipNulls } from './head.ts';
import type { LineHandler } from './line-handler.ts';
import type { Segment } from './segment.ts';
import { UnitFeed } from './unit-feed.ts';

const NEWLINE = 0x0a;

/** How far a unit that is too long was looked through. */
interface Search {
  /** Streams in the middle of a line, as bits. */
  open: number;
  /** In the middle of a line of the log that is too long by itself. */
  inLine: boolean;
}

/**
 * The lines of a container's log are taken unit by unit (see {@link ContainerUnit}), so that every position is one at
 * which no line of the container is broken off. A line of the log that is too long to be held ends its unit: what it
 * says is not looked at. All that is remembered of a unit is in the chunk, which is read again until it is whole.
 */
export class UnitFraming implements Framing {
  readonly spansSegments = true;
  readonly #maxLineBytes: number;
  readonly #line: ContainerLine;
  readonly #wanted: number;
  readonly #unit: ContainerUnit;
  readonly #feed: UnitFeed;
  readonly #memory: ChunkMemory | undefined;
  readonly #searches = new WeakMap<Segment, Search>();

  constructor(handler: LineHandler, options: { maxLineBytes: number; format: ContainerFormat; stream: SourceStream }) {
    this.#maxLineBytes = options.maxLineBytes;
    this.#line = containerLine(options.format);
    this.#wanted = streamBits(options.stream);
    this.#unit = new ContainerUnit(containerLine(options.format), this.#wanted);
    this.#feed = new UnitFeed(handler);
    this.#memory = handler.memory;
  }

  take(segment: Segment, chunk: Chunk): 'lines' | 'end' | undefined {
    const { buffer, start, end } = chunk;
    const base = segment.position - start;
    const digests = segment.isFresh ? segment.digests.load(buffer, start, end, this.#memory) : undefined;
    const unit = this.#unit;
    unit.clear();
    this.#feed.begin(segment);
    // Everything before `at` is taken; `first` is where the unit begins, `next` where its next line does.
    let at = start;
    let first = start;
    let next = start;
    let secondLine = start;
    let nulls = 0;
    let isTooLong = false;
    for (;;) {
      const begin = skipNulls(buffer, next, end);
      if (unit.isOpen) nulls += begin - next;
      else if (begin > at) {
        // NULs are no line: the position moves past them at once, or a run of gigabytes would never fit a buffer.
        this.#feed.nulls(begin - at);
        digests?.add(at, begin);
        at = begin;
      }
      const newline = begin < end ? buffer.indexOf(NEWLINE, begin) : -1;
      if (newline < 0 || newline >= end) break;
      if (!unit.isOpen) first = begin;
      if (newline - begin > this.#maxLineBytes) {
        isTooLong = true;
        if (first === begin) secondLine = begin + this.#maxLineBytes;
        break;
      }
      if (!unit.isOpen) secondLine = newline + 1;
      unit.add(buffer, begin, newline);
      next = newline + 1;
      if (unit.isOpen) continue;
      if (newline - first > this.#maxLineBytes) {
        isTooLong = true;
        break;
      }
      this.#feed.nulls(nulls);
      nulls = 0;
      this.#feed.take(unit, buffer, { offset: base + first, bytes: next - first });
      digests?.add(at, next);
      at = next;
    }
    this.#feed.end();
    if (at > start) segment.advance(base + at, buffer.subarray(0, at));
    if (isTooLong) {
      this.#searchBehind(segment, buffer.subarray(first, secondLine));
      return 'lines';
    }
    if (at > start) return 'lines';
    if (!chunk.atEnd) return undefined;
    segment.endAt = base + end;
    return 'end';
  }

  beginSearch(segment: Segment, { buffer, start, end }: Chunk): void {
    this.#searchBehind(segment, buffer.subarray(start, end));
  }

  search(segment: Segment, content: Buffer): number | 'on' | 'more' {
    const search = this.#searches.get(segment) ?? { open: 0, inLine: false };
    let at = 0;
    for (;;) {
      const newline = content.indexOf(NEWLINE, at);
      if (newline < 0) break;
      const begin = search.inLine ? at : skipNulls(content, at, newline);
      if (!search.inLine && newline - begin <= this.#maxLineBytes)
        search.open = openBehind(this.#line, this.#wanted, search.open, {
          buffer: content,
          start: begin,
          end: newline,
        });
      else search.open = 0;
      if (search.open === 0) return segment.searchedTo + newline;
      at = newline + 1;
    }
    if (search.inLine && content.length > 0) at = content.length;
    if (at === 0) return 'more';
    segment.searchedTo += at;
    return 'on';
  }

  passOver(segment: Segment, content: Buffer): void {
    this.#searches.set(segment, { open: 0, inLine: true });
    segment.searchedTo += content.length;
  }

  takeRest(segment: Segment, buffer: Buffer, start: number, end: number): void {
    const unit = this.#unit;
    unit.clear();
    this.#feed.begin(segment);
    let first = start;
    for (let at = start; at < end; ) {
      const begin = skipNulls(buffer, at, end);
      this.#feed.nulls(begin - at);
      if (begin === end) break;
      const newline = buffer.indexOf(NEWLINE, begin);
      const stop = newline < 0 || newline >= end ? end : newline;
      // NULs at the end of a file are no line, though a newline was put behind them.
      if (unit.isOpen && begin > at && stop === begin) {
        at = stop + 1;
        continue;
      }
      if (!unit.isOpen) first = begin;
      unit.add(buffer, begin, stop);
      at = stop + 1;
      if (!unit.isOpen) this.#feed.take(unit, buffer, { offset: segment.position + first - start, bytes: at - first });
    }
    if (unit.isOpen) this.#feed.take(unit, buffer, { offset: segment.position + first - start, bytes: end - first });
    this.#feed.end();
  }

  isOpenBehind(content: Buffer): boolean {
    return content.length > 0 && this.closesAt(content) === undefined;
  }

  closesAt(content: Buffer): number | undefined {
    let open = 0;
    for (let at = 0; ; ) {
      const newline = content.indexOf(NEWLINE, at);
      if (newline < 0) return undefined;
      const start = skipNulls(content, at, newline);
      open = openBehind(this.#line, this.#wanted, open, { buffer: content, start, end: newline });
      at = newline + 1;
      if (open === 0) return at;
    }
  }

  /** The end of the unit at the position is looked for behind `begun`, its beginning. */
  #searchBehind(segment: Segment, begun: Buffer): void {
    this.#searches.set(segment, { open: 0, inLine: false });
    segment.searchedTo = segment.position;
    if (this.search(segment, begun) !== 'on') this.passOver(segment, begun);
  }
}
