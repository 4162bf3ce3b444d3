import type { ChunkMemory } from '../event/chunk-memory.ts';
import type { Segment } from './segment.ts';

/**
 * What the reader gives its lines to. Offsets are positions in the segment's uncompressed content. Of a container's log
 * these are the lines that the container wrote, each with the offset of the unit that it is in.
 */
export interface LineHandler {
  /** Where it likes to have what is read. */
  readonly memory?: ChunkMemory | undefined;
  /**
   * Takes the whole line [start, end) of `buffer`, without its newline. The buffer is reused after the call. Must not
   * throw: whatever the line holds, it goes somewhere.
   */
  line(segment: Segment, buffer: Buffer, start: number, end: number, offset: number): void;
  /** Takes a line of a container's log that is none of its format, as it is. `column` counts bytes from 1. */
  badLine(
    segment: Segment,
    buffer: Buffer,
    start: number,
    end: number,
    offset: number,
    fault: { readonly column: number; readonly reason: string },
  ): void;
  /** Passed over: lines of the container's other stream, and bytes of the log that are no part of a line given. */
  passed(segment: Segment, otherLines: number, bytes: number): void;
  /** Takes a line of more than `max_line_bytes`, in pieces. Nothing else is read until `end`. */
  longLine(segment: Segment, offset: number, length: number): Promise<LongLineHandler>;
  /** The time on a line of the log, in milliseconds since the epoch; undefined where it has none. */
  eventTime(buffer: Buffer, start: number, end: number): number | undefined;
  /** Skipped: NUL bytes at the start of a line. */
  nulls(segment: Segment, count: number): void;
}

/** For who looks at the order of files and takes no lines. */
export type EventTimes = Pick<LineHandler, 'eventTime'>;

export interface LongLineHandler {
  piece(buffer: Buffer, start: number, end: number): Promise<void>;
  end(): Promise<void>;
}
