import type { Database } from './database.ts';

/** A range of a stream that vanished unread. Times are milliseconds since the epoch. */
export interface Gap {
  /** Where the lost bytes were last. */
  readonly path: string;
  readonly startOffset: number;
  /** Undefined: nobody can know. */
  readonly endOffset: number | undefined;
  /** Time of the last event before the gap, and of the first after it. */
  readonly beforeTime: number | undefined;
  readonly afterTime: number | undefined;
  readonly reason: string;
}

/** The table `gaps`. Every gap is durable on its own: it is told even when the agent dies in the next instant. */
export class GapRecords {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @param finished the segment that ends with this gap: told and finished in one transaction, so no start tells it twice. */
  add(stream: number, gap: Gap, now: number, finished?: number): void {
    this.#db
      .transaction(() => {
        this.#db
          .prepare(
            `INSERT INTO gaps (stream, path, start_offset, end_offset, before_time, after_time, reason, found_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            stream,
            gap.path,
            gap.startOffset,
            gap.endOffset ?? null,
            gap.beforeTime ?? null,
            gap.afterTime ?? null,
            gap.reason,
            now,
          );
        // What is behind the gap's start is nowhere to be read: the segment must not seem to have it.
        if (finished !== undefined) {
          this.#db
            .prepare('UPDATE segments SET finished = 1, size_seen = ? WHERE id = ?')
            .run(gap.startOffset, finished);
        }
      })
      .immediate();
  }

  /** Whether this very gap is stored already. */
  has(stream: number, gap: Gap): boolean {
    const { path, startOffset, endOffset, reason } = gap;
    return (
      this.#db
        .prepare(
          'SELECT 1 FROM gaps WHERE stream = ? AND path = ? AND start_offset = ? AND end_offset IS ? AND reason = ?',
        )
        .get(stream, path, startOffset, endOffset ?? null, reason) !== undefined
    );
  }

  list(source: string): (Gap & { stream: string; foundAt: number })[] {
    const rows = this.#db
      .prepare(
        `SELECT gaps.*, streams.path AS stream_path FROM gaps JOIN streams ON streams.id = gaps.stream
         WHERE streams.source = ? ORDER BY gaps.id`,
      )
      .all(source) as Record<string, string | number | null>[];
    return rows.map((row) => ({
      stream: row.stream_path as string,
      path: row.path as string,
      startOffset: row.start_offset as number,
      endOffset: (row.end_offset as number | null) ?? undefined,
      beforeTime: (row.before_time as number | null) ?? undefined,
      afterTime: (row.after_time as number | null) ?? undefined,
      reason: row.reason as string,
      foundAt: row.found_at as number,
    }));
  }
}
