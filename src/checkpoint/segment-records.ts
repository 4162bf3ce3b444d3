import type { Database } from './database.ts';

/** The durable part of a segment. Times are milliseconds since the epoch, sizes and offsets bytes of uncompressed content. */
export interface SegmentRow {
  readonly id: number;
  readonly stream: number;
  readonly device: bigint;
  readonly inode: bigint;
  /** Hash of the first line, or of its first 1024 bytes. */
  readonly head: string;
  readonly path: string;
  readonly sizeSeen: number;
  /** Of a rotated part: its writer may have added to that since, for it had not been left alone for long when it was looked at. */
  readonly mayGrow: boolean;
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
  readonly finished: boolean;
  /**
   * Of a container's log: the segment whose last line goes on at the beginning of this one, and how many bytes there
   * belong to it. Reading this segment begins behind them.
   */
  readonly headOf: number | undefined;
  readonly headBytes: number;
}

/** What the content before an offset was. */
export interface Anchor {
  readonly offset: number;
  /** Bytes before `offset` that `hash` covers. */
  readonly length: number;
  readonly hash: string;
  /** For each line since the anchor before: length with newline and digest (`LineDigests`), as pairs of little-endian 32-bit numbers. */
  readonly lines: Buffer | undefined;
}

/** What one commit stores of a segment. */
export interface SegmentProgress {
  readonly id: number;
  readonly sizeSeen: number;
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
  readonly finished: boolean;
  readonly headOf: number | undefined;
  readonly headBytes: number;
  readonly offsets: ReadonlyMap<string, number>;
  readonly anchor: Anchor | undefined;
}

/** Anchors kept for a segment: as many commits as an unsynced log can be cut back by, and then some. */
const MAX_ANCHORS = 64;

/** Finished segments of a stream that may still lose their end at a power loss: as many as are rotated within a minute, and then some. */
const WITH_DIGESTS = 4;

interface RawSegment {
  id: number;
  stream: number;
  device: string;
  inode: string;
  head: string;
  path: string;
  size_seen: number;
  may_grow: number;
  first_time: number | null;
  last_time: number | null;
  finished: number;
  head_of: number | null;
  head_bytes: number;
}

/**
 * The tables `sources`, `streams`, `segments`, `offsets` and `anchors`.
 *
 * {@link saveProgress} is for the commit's transaction; every other change is a durable transaction of its own.
 */
export class SegmentRecords {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Whether this source was ever started: `read_from` applies only before that. */
  wasStarted(source: string): boolean {
    return this.#db.prepare('SELECT 1 FROM sources WHERE name = ?').get(source) !== undefined;
  }

  markStarted(source: string, now: number): void {
    this.#db.prepare('INSERT OR IGNORE INTO sources (name, started_at) VALUES (?, ?)').run(source, now);
  }

  /** The id of the stream whose live file is `path`; it is added when new. */
  streamId(source: string, path: string): number {
    this.#db.prepare('INSERT OR IGNORE INTO streams (source, path) VALUES (?, ?)').run(source, path);
    const row = this.#db.prepare('SELECT id FROM streams WHERE source = ? AND path = ?').get(source, path);
    return (row as { id: number }).id;
  }

  streams(source: string): { id: number; path: string }[] {
    return this.#db.prepare('SELECT id, path FROM streams WHERE source = ? ORDER BY id').all(source) as never;
  }

  segments(stream: number): SegmentRow[] {
    const rows = this.#db.prepare('SELECT * FROM segments WHERE stream = ? ORDER BY id').all(stream) as RawSegment[];
    return rows.map(fromRaw);
  }

  /** Adds a segment with the offset at which each sink starts: the first position is durable before the first read. */
  add(segment: Omit<SegmentRow, 'id'>, offsets: ReadonlyMap<string, number>, now: number): number {
    return this.#db
      .transaction(() => {
        const { lastInsertRowid } = this.#db
          .prepare(
            `INSERT INTO segments (stream, device, inode, head, path, size_seen, may_grow, first_time, last_time, finished,
               seen_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            segment.stream,
            String(segment.device),
            String(segment.inode),
            segment.head,
            segment.path,
            segment.sizeSeen,
            segment.mayGrow ? 1 : 0,
            segment.firstTime ?? null,
            segment.lastTime ?? null,
            segment.finished ? 1 : 0,
            now,
          );
        const id = Number(lastInsertRowid);
        this.#saveOffsets(id, offsets);
        return id;
      })
      .immediate();
  }

  /**
   * The segment's content is now in another file (renamed, copied or gzipped), or its writer is done with it.
   *
   * @param place.sizeSeen what its content has, at least where it may grow: should it vanish unread, the gap's end is known.
   */
  relocate(id: number, place: Pick<SegmentRow, 'device' | 'inode' | 'path' | 'sizeSeen' | 'mayGrow'>): void {
    this.#db
      .prepare(
        `UPDATE segments SET device = ?, inode = ?, path = ?, size_seen = MAX(size_seen, ?), may_grow = ? WHERE id = ?`,
      )
      .run(String(place.device), String(place.inode), place.path, place.sizeSeen, place.mayGrow ? 1 : 0, id);
  }

  /** Each sink's offset in the segment. A sink without a row has taken nothing of it. */
  offsets(segment: number): Map<string, number> {
    const rows = this.#db.prepare('SELECT sink, offset FROM offsets WHERE segment = ?').all(segment);
    return new Map((rows as { sink: string; offset: number }[]).map((row) => [row.sink, row.offset]));
  }

  /** Finished segments of a source that a sink had not taken to their end, though it had begun with them. */
  behind(source: string, sink: string): { segment: number; offset: number }[] {
    return this.#db
      .prepare(
        `SELECT segments.id AS segment, offsets.offset AS offset FROM offsets
         JOIN segments ON segments.id = offsets.segment JOIN streams ON streams.id = segments.stream
         WHERE streams.source = ? AND offsets.sink = ? AND segments.finished = 1 AND offsets.offset < segments.size_seen`,
      )
      .all(source, sink) as { segment: number; offset: number }[];
  }

  /** One sink goes on elsewhere in a segment: what lies between is told as a gap. */
  setOffset(segment: number, sink: string, offset: number): void {
    this.#saveOffsets(segment, new Map([[sink, offset]]));
  }

  /**
   * Where a sink at its own pace stands by now, by segment. Part of the caller's transaction. A segment that was forgotten
   * is left out: nobody will ask for it again.
   */
  saveTaken(sink: string, offsets: Iterable<readonly [segment: number, offset: number]>): void {
    const save = this.#db.prepare(
      `INSERT INTO offsets (sink, segment, offset) SELECT ?, id, ? FROM segments WHERE id = ?
       ON CONFLICT (sink, segment) DO UPDATE SET offset = excluded.offset`,
    );
    for (const [segment, offset] of offsets) save.run(sink, offset, segment);
  }

  /** The segment's anchors, in the order of their offsets. */
  anchors(segment: number): Anchor[] {
    const rows = this.#db.prepare('SELECT * FROM anchors WHERE segment = ? ORDER BY offset').all(segment);
    return (rows as { offset: number; length: number; hash: string; lines: Buffer | null }[]).map((row) => ({
      offset: row.offset,
      length: row.length,
      hash: row.hash,
      lines: row.lines ?? undefined,
    }));
  }

  /** Part of the commit's transaction. */
  saveProgress(progress: readonly SegmentProgress[], now: number): void {
    const update = this.#db.prepare(
      `UPDATE segments SET size_seen = ?, first_time = ?, last_time = ?, finished = ?, head_of = ?, head_bytes = ?,
         seen_at = ? WHERE id = ?`,
    );
    for (const one of progress) {
      const { id, sizeSeen, firstTime, lastTime, finished, headOf, headBytes } = one;
      update.run(sizeSeen, firstTime ?? null, lastTime ?? null, finished ? 1 : 0, headOf ?? null, headBytes, now, id);
      this.#saveOffsets(one.id, one.offsets);
      if (one.anchor !== undefined) this.#saveAnchor(one.id, one.anchor);
      if (one.finished) this.#dropDigests(one.id);
    }
  }

  /**
   * The log was cut back to `offset` and goes on differently: what was taken behind it is no longer in the file.
   *
   * @param anchor for `offset`, where none is stored: the chain of anchors and lines must not break there.
   */
  cutBack(segment: number, offset: number, anchor?: Anchor): void {
    this.#db
      .transaction(() => {
        this.#db.prepare('UPDATE offsets SET offset = MIN(offset, ?) WHERE segment = ?').run(offset, segment);
        this.#db.prepare('DELETE FROM anchors WHERE segment = ? AND offset > ?').run(segment, offset);
        if (anchor !== undefined) this.#saveAnchor(segment, anchor);
        this.#db
          .prepare('UPDATE segments SET size_seen = ?, finished = 0, head_bytes = MIN(head_bytes, ?) WHERE id = ?')
          .run(offset, offset, segment);
      })
      .immediate();
  }

  finish(segment: number): void {
    this.#db.prepare('UPDATE segments SET finished = 1 WHERE id = ?').run(segment);
  }

  /** Forgets the oldest finished segments beyond `keep`, so that the state does not grow for ever. */
  forget(segments: readonly number[]): void {
    const remove = this.#db.prepare('DELETE FROM segments WHERE id = ?');
    this.#db.transaction(() => segments.forEach((id) => void remove.run(id))).immediate();
  }

  /**
   * A segment that was finished long ago does not lose its end any more: its lines need no digests. Those of the newest may
   * not be on the disk yet. Each call passes the limit by one segment at most, so a few are looked at.
   */
  #dropDigests(finished: number): void {
    const newest = `SELECT id FROM segments WHERE finished = 1 AND stream = (SELECT stream FROM segments WHERE id = :id)
      ORDER BY id DESC`;
    const drop = 'UPDATE anchors SET lines = NULL WHERE lines IS NOT NULL AND segment';
    const id = { id: finished };
    this.#db.prepare(`${drop} IN (${newest} LIMIT ${WITH_DIGESTS} OFFSET ${WITH_DIGESTS})`).run(id);
    // One that is finished after newer ones: when the parts of a first start are read in no order.
    this.#db.prepare(`${drop} = :id AND segment NOT IN (${newest} LIMIT ${WITH_DIGESTS})`).run(id);
  }

  #saveOffsets(segment: number, offsets: ReadonlyMap<string, number>): void {
    const save = this.#db.prepare(
      `INSERT INTO offsets (sink, segment, offset) VALUES (?, ?, ?)
       ON CONFLICT (sink, segment) DO UPDATE SET offset = excluded.offset`,
    );
    for (const [sink, offset] of offsets) save.run(sink, segment, offset);
  }

  /** A commit at the same place, for a sink at its own pace, has read no lines since: those of the anchor stay. */
  #saveAnchor(segment: number, anchor: Anchor): void {
    this.#db
      .prepare(
        `INSERT INTO anchors (segment, offset, length, hash, lines) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (segment, offset) DO UPDATE SET length = excluded.length, hash = excluded.hash,
           lines = CASE WHEN hash = excluded.hash THEN coalesce(excluded.lines, lines) ELSE excluded.lines END`,
      )
      .run(segment, anchor.offset, anchor.length, anchor.hash, anchor.lines ?? null);
    this.#db
      .prepare(
        `DELETE FROM anchors WHERE segment = ? AND offset <= (
           SELECT offset FROM anchors WHERE segment = ? ORDER BY offset DESC LIMIT 1 OFFSET ?)`,
      )
      .run(segment, segment, MAX_ANCHORS);
  }
}

function fromRaw(row: RawSegment): SegmentRow {
  return {
    id: row.id,
    stream: row.stream,
    device: BigInt(row.device),
    inode: BigInt(row.inode),
    head: row.head,
    path: row.path,
    sizeSeen: row.size_seen,
    mayGrow: row.may_grow === 1,
    firstTime: row.first_time ?? undefined,
    lastTime: row.last_time ?? undefined,
    finished: row.finished === 1,
    headOf: row.head_of ?? undefined,
    headBytes: row.head_bytes,
  };
}
