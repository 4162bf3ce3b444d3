import type { Database } from './database.ts';
import { type Anchor, SegmentRecords, type SegmentRow } from './segment-records.ts';

/** Where sinks are to stand in one segment. */
export interface SegmentPlace {
  /** Undefined: the segment is new. */
  readonly id: number | undefined;
  readonly row: Omit<SegmentRow, 'id' | 'stream'>;
  /** By sink; those that are not named stay where they are. */
  readonly offsets: ReadonlyMap<string, number>;
  /**
   * Where the shared reader goes on, with what the content before that is. Anchors behind it are forgotten: they would
   * break the chain of lines when the segment is read again. Undefined: it stays where it is.
   */
  readonly reader: { readonly offset: number; readonly anchor: Anchor | undefined } | undefined;
}

/** Places of one source. */
export interface SourcePlaces {
  readonly source: string;
  /** Each stream by the path of its live file. */
  readonly streams: readonly { readonly path: string; readonly segments: readonly SegmentPlace[] }[];
}

/**
 * Stores places as if the agent had read up to them, all in one durable transaction. A source counts as started from
 * then on: `read_from` does not apply to it any more.
 *
 * @param now milliseconds since the epoch
 */
export function storePlaces(db: Database, sources: readonly SourcePlaces[], now: number): void {
  const records = new SegmentRecords(db);
  db.transaction(() => {
    for (const { source, streams } of sources) {
      records.markStarted(source, now);
      for (const { path, segments } of streams) {
        const stream = records.streamId(source, path);
        for (const segment of segments) storePlace(db, records, stream, segment, now);
      }
    }
  }).immediate();
}

function storePlace(db: Database, records: SegmentRecords, stream: number, place: SegmentPlace, now: number): void {
  const { row, offsets, reader } = place;
  const id = place.id ?? records.add({ ...row, stream }, offsets, now);
  if (reader !== undefined) {
    db.prepare('DELETE FROM anchors WHERE segment = ? AND offset > ?').run(id, reader.offset);
  }
  records.saveProgress([{ ...row, id, offsets, anchor: reader?.anchor }], now);
}
