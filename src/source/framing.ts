import type { Segment } from './segment.ts';

/** Content that was read at a segment's position: [start, end) of `buffer`, with some of what comes before it in front. */
export interface Chunk {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** There was no more. */
  readonly atEnd: boolean;
}

/**
 * How a log's content is cut into what is taken as a whole: each line by itself, or the lines of a container's log that
 * belong together. Offsets are of the segment's content.
 */
export interface Framing {
  /** Whether what is taken as a whole may begin in one segment and end in the next. */
  readonly spansSegments: boolean;
  /**
   * Takes what is whole, and moves the segment's position behind it. `lines`: something was taken. `end`: nothing more
   * is whole. Undefined: the chunk is full, and holds nothing whole.
   */
  take(segment: Segment, chunk: Chunk): 'lines' | 'end' | undefined;
  /** What begins at the position is too long to be held: sets `searchedTo`, from where its end is looked for. */
  beginSearch(segment: Segment, chunk: Chunk): void;
  /**
   * Looks for that end in `content`, which stands at `searchedTo`. A number: its offset, where a newline stands. `on`:
   * `searchedTo` has moved. `more`: longer content is needed to tell.
   */
  search(segment: Segment, content: Buffer): number | 'on' | 'more';
  /** A line of the content at `searchedTo` is itself too long to be held. */
  passOver(segment: Segment, content: Buffer): void;
  /** Takes all of [start, end), though the last line has no newline, or its rest will not come. */
  takeRest(segment: Segment, buffer: Buffer, start: number, end: number): void;
  /** Whether something is still open behind `content`, which stands at a position and ends in a newline. */
  isOpenBehind(content: Buffer): boolean;
  /** Bytes of `content` at the position up to where it is not open any more, with the newline; undefined: nowhere. */
  closesAt(content: Buffer): number | undefined;
}
