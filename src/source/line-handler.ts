import type { Segment } from './segment.ts';

/** What the reader gives its lines to. Offsets are positions in the segment's uncompressed content. */
export interface LineHandler {
  /**
   * Takes the whole line [start, end) of `buffer`, without its newline. The buffer is reused after the call. Must not
   * throw: whatever the line holds, it goes somewhere.
   */
  line(segment: Segment, buffer: Buffer, start: number, end: number, offset: number): void;
  /** Takes a line of more than `max_line_bytes`, in pieces. Nothing else is read until `end`. */
  longLine(segment: Segment, offset: number, length: number): Promise<LongLineHandler>;
  /** The time of the event on a line, in milliseconds since the epoch; undefined where it has none. */
  eventTime(buffer: Buffer, start: number, end: number): number | undefined;
  /** Skipped: NUL bytes at the start of a line. */
  nulls(segment: Segment, count: number): void;
}

export interface LongLineHandler {
  piece(buffer: Buffer, start: number, end: number): Promise<void>;
  end(): Promise<void>;
}
