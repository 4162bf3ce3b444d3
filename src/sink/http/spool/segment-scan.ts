import { RecordReader } from './record-reader.ts';
import { HEADER_BYTES } from './segment-header.ts';
import type { SpoolDirectory } from './spool-directory.ts';

/** What a whole segment holds. */
export interface SegmentScan {
  /** Records that can be read, from `from` on, and where the first of them begins (else: the end). */
  readonly events: number;
  readonly start: number;
  /** Where the durable records end. */
  readonly end: number;
  /** Bytes from `from` to the end that are no record. */
  readonly unreadable: number;
}

/**
 * Counts the records of a segment that lie at or behind `from`.
 *
 * `mayBeTorn`: nobody wrote down how long the segment is, and a crash may have torn the last write. Each record says where
 * its write began, so damage before the last known beginning of a write is damage, and what is behind it is the torn end.
 */
export async function scanSegment(
  directory: SpoolDirectory,
  segment: { number: number; path: string },
  options: { from: number; end: number; mayBeTorn: boolean },
): Promise<SegmentScan> {
  return directory.reading(segment.path, async (fd) => {
    const reader = new RecordReader(directory.io, fd, segment.number, { start: HEADER_BYTES, end: options.end });
    let events = 0;
    let start = options.end;
    let unreadable = 0;
    let durable = 0;
    /** The scan as it was at each damaged range that may be where a torn write begins. */
    let torn: SegmentScan | undefined;
    for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
      if (!('event' in found)) {
        torn ??= { events, start: Math.min(start, found.start), end: found.start, unreadable };
        if (found.end > options.from) unreadable += found.end - found.start;
        continue;
      }
      durable = Math.max(durable, found.writeStart);
      // Something later was written when this was durable: so it is damage.
      if (torn !== undefined && torn.end < durable) torn = undefined;
      if (found.start < options.from) continue;
      if (events === 0) start = found.start;
      events += 1;
    }
    if (options.mayBeTorn && torn !== undefined) return torn;
    return { events, start, end: options.end, unreadable };
  });
}
