import type { Chunk, Framing } from './framing.ts';
import { skipNulls } from './head.ts';
import type { LineHandler } from './line-handler.ts';
import type { Segment } from './segment.ts';

const NEWLINE = 0x0a;

/** Each line is taken by itself. */
export class LineFraming implements Framing {
  readonly spansSegments = false;
  readonly #handler: LineHandler;
  readonly #maxLineBytes: number;

  constructor(handler: LineHandler, maxLineBytes: number) {
    this.#handler = handler;
    this.#maxLineBytes = maxLineBytes;
  }

  take(segment: Segment, chunk: Chunk): 'lines' | 'end' | undefined {
    const { buffer, start, end } = chunk;
    const base = segment.position - start;
    const digests = segment.isFresh ? segment.digests.load(buffer, start, end, this.#handler.memory) : undefined;
    let at = start;
    for (;;) {
      const begin = skipNulls(buffer, at, end);
      const newline = begin < end ? buffer.indexOf(NEWLINE, begin) : -1;
      const whole = newline >= 0 && newline < end;
      if (begin > at) this.#handler.nulls(segment, begin - at);
      if (!whole) {
        // NULs are no line: the position moves past them at once, or a run of gigabytes would never fit a buffer.
        if (begin > at) digests?.add(at, begin);
        at = begin;
        break;
      }
      if (newline - begin > this.#maxLineBytes) {
        if (begin > at) digests?.add(at, begin);
        if (begin > start) segment.advance(base + begin, buffer.subarray(0, begin));
        // No newline comes before that: the search goes on there, and takes the line in pieces.
        segment.searchedTo = segment.position + this.#maxLineBytes;
        return 'lines';
      }
      this.#handler.line(segment, buffer, begin, newline, base + begin);
      digests?.add(at, newline + 1);
      at = newline + 1;
    }
    if (at > start) {
      segment.advance(base + at, buffer.subarray(0, at));
      return 'lines';
    }
    if (!chunk.atEnd) return undefined;
    segment.endAt = base + end;
    return 'end';
  }

  beginSearch(segment: Segment, { start, end }: Chunk): void {
    segment.searchedTo = segment.position + end - start;
  }

  search(segment: Segment, content: Buffer): number | 'on' | 'more' {
    const newline = content.indexOf(NEWLINE);
    if (newline >= 0) return segment.searchedTo + newline;
    if (content.length === 0) return 'more';
    this.passOver(segment, content);
    return 'on';
  }

  passOver(segment: Segment, content: Buffer): void {
    segment.searchedTo += content.length;
  }

  takeRest(segment: Segment, buffer: Buffer, start: number, end: number): void {
    if (end > start) this.#handler.line(segment, buffer, start, end, segment.position);
  }

  isOpenBehind(): boolean {
    return false;
  }

  closesAt(): number {
    return 0;
  }
}
