import type { Statement } from 'better-sqlite3';
import type { Compression } from '../config/types.ts';
import type { Database } from './database.ts';

/** What a commit stores of an output file. Lengths are bytes, times milliseconds since the epoch. */
export interface ArchiveRow {
  readonly id: number;
  /** The newest time slot that the file holds. */
  readonly slot: number;
  readonly device: bigint;
  readonly inode: bigint;
  /** Where the trailer of the last member stands: a gzip member or a Zstandard frame. For uncompressed files their length. */
  readonly committedBytes: number;
  /** CRC-32 and length of the content of the last member. */
  readonly crc32: number;
  readonly memberBytes: number;
  /** Uncompressed content of the whole file. */
  readonly contentBytes: number;
  readonly events: number;
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
  readonly committedAt: number;
}

/** A file that is about to be created. */
export interface NewArchive {
  readonly sink: string;
  readonly path: string;
  /** What the template gave; `path` is a numbered sibling of it where that was taken. */
  readonly wantedPath: string;
  readonly slot: number;
  readonly tag: string;
  readonly compress: Compression;
  readonly createdAt: number;
}

/** An output file as the database knows it. A file that was never committed has no device and inode. */
export interface ArchiveRecord extends Omit<ArchiveRow, 'device' | 'inode' | 'committedAt'>, NewArchive {
  readonly device: bigint | undefined;
  readonly inode: bigint | undefined;
  readonly committedAt: number | undefined;
  /** It may be longer on disk than committed. */
  readonly open: boolean;
  /** It was changed or removed by somebody else: it is not written to again. */
  readonly abandoned: boolean;
}

interface StoredRecord {
  id: number;
  sink: string;
  path: string;
  wanted_path: string;
  slot: number;
  tag: string;
  compress: Compression;
  device: string | null;
  inode: string | null;
  committed_bytes: number;
  crc32: number;
  member_bytes: number;
  content_bytes: number;
  events: number;
  first_time: number | null;
  last_time: number | null;
  open: number;
  abandoned: number;
  created_at: number;
  committed_at: number | null;
}

const RECORDS = 'SELECT * FROM archives WHERE sink = ?';

/** The output files of the file sinks in the state database. Each method but {@link ArchiveRecords.save} is a transaction of its own. */
export class ArchiveRecords {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement<unknown[]>>();

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Makes it durable that these files are about to be created and that those finished ones are about to be written
   * to again, so that a start finds them whatever happens next. Gives the ids of the new files, in order.
   */
  register(files: readonly NewArchive[], reopened: readonly number[]): number[] {
    const insert = this.#statement(
      `INSERT INTO archives (sink, path, wanted_path, slot, tag, compress, created_at)
       VALUES (@sink, @path, @wantedPath, @slot, @tag, @compress, @createdAt)`,
    );
    const reopen = this.#statement('UPDATE archives SET open = 1 WHERE id = ?');
    return this.#db.transaction(() => {
      for (const id of reopened) reopen.run(id);
      return files.map((file) => Number(insert.run(file).lastInsertRowid));
    })();
  }

  /** Stores what a commit wrote. Called inside the transaction that also stores the sink's offsets. */
  save(rows: readonly ArchiveRow[]): void {
    const save = this.#statement(
      `UPDATE archives SET slot = @slot, device = @device, inode = @inode, committed_bytes = @committedBytes,
         crc32 = @crc32, member_bytes = @memberBytes, content_bytes = @contentBytes, events = @events,
         first_time = @firstTime, last_time = @lastTime, committed_at = @committedAt
       WHERE id = @id AND open = 1`,
    );
    for (const row of rows) {
      const { changes } = save.run({
        ...row,
        device: String(row.device),
        inode: String(row.inode),
        firstTime: row.firstTime ?? null,
        lastTime: row.lastTime ?? null,
      });
      // Offsets must never move past lines whose file the database does not know.
      if (changes !== 1) throw new Error(`the state database has no open archive file ${row.id}`);
    }
  }

  /** The files that may be longer on disk than committed. */
  open(sink: string): ArchiveRecord[] {
    return this.#records(`${RECORDS} AND open = 1 ORDER BY id`, sink);
  }

  /** The file that content for this rendered path is appended to, finished or not; never one that is compressed otherwise. */
  current(sink: string, wantedPath: string, compress: Compression): ArchiveRecord | undefined {
    return this.#records(
      `${RECORDS} AND wanted_path = ? AND compress = ? AND abandoned = 0 ORDER BY id DESC LIMIT 1`,
      sink,
      wantedPath,
      compress,
    )[0];
  }

  /** Up to `limit` finished files and files that were given up, the longest untouched first. */
  oldest(sink: string, limit: number): ArchiveRecord[] {
    return this.#records(
      `${RECORDS} AND open = 0 AND committed_at IS NOT NULL ORDER BY committed_at LIMIT ?`,
      sink,
      limit,
    );
  }

  /** Finished files and files that were given up, from a position in the order of ids. */
  closedAfter(sink: string, id: number, limit: number): ArchiveRecord[] {
    return this.#records(`${RECORDS} AND open = 0 AND id > ? ORDER BY id LIMIT ?`, sink, id, limit);
  }

  newestId(sink: string): number | undefined {
    const sql = 'SELECT max(id) FROM archives WHERE sink = ?';
    return (this.#statement(sql).pluck().get(sink) as number | null) ?? undefined;
  }

  /** The rendered paths that have files in a time slot, with the tag that each was created for. */
  slotPaths(sink: string, slot: number): { wantedPath: string; tag: string }[] {
    return this.#statement(
      'SELECT wanted_path AS wantedPath, min(tag) AS tag FROM archives WHERE sink = ? AND slot = ? GROUP BY wanted_path',
    ).all(sink, slot) as { wantedPath: string; tag: string }[];
  }

  newestCommittedSlot(sink: string): number | undefined {
    const sql = 'SELECT max(slot) FROM archives WHERE sink = ? AND committed_at IS NOT NULL';
    return (this.#statement(sql).pluck().get(sink) as number | null) ?? undefined;
  }

  /** Committed bytes of all files of a sink, without the trailers of their last members. */
  totalBytes(sink: string): number {
    return this.#statement('SELECT total(committed_bytes) FROM archives WHERE sink = ?').pluck().get(sink) as number;
  }

  /** Whether any sink's record has this path. */
  hasPath(path: string): boolean {
    return this.#statement('SELECT 1 FROM archives WHERE path = ?').pluck().get(path) !== undefined;
  }

  /** Whether the file is there and finished or given up. */
  isClosed(id: number): boolean {
    return this.#statement('SELECT open FROM archives WHERE id = ?').pluck().get(id) === 0;
  }

  isEmpty(sink: string): boolean {
    return this.#statement('SELECT 1 FROM archives WHERE sink = ? LIMIT 1').pluck().get(sink) === undefined;
  }

  finish(ids: readonly number[]): void {
    this.#forEach('UPDATE archives SET open = 0 WHERE id = ?', ids);
  }

  abandon(ids: readonly number[]): void {
    this.#forEach('UPDATE archives SET open = 0, abandoned = 1 WHERE id = ?', ids);
  }

  remove(ids: readonly number[]): void {
    this.#forEach('DELETE FROM archives WHERE id = ?', ids);
  }

  #forEach(sql: string, ids: readonly number[]): void {
    if (ids.length === 0) return;
    const statement = this.#statement(sql);
    this.#db.transaction(() => {
      for (const id of ids) statement.run(id);
    })();
  }

  #records(sql: string, ...values: (string | number)[]): ArchiveRecord[] {
    return (this.#statement(sql).all(...values) as StoredRecord[]).map(toRecord);
  }

  #statement(sql: string): Statement<unknown[]> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare<unknown[]>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function toRecord(stored: StoredRecord): ArchiveRecord {
  return {
    id: stored.id,
    sink: stored.sink,
    path: stored.path,
    wantedPath: stored.wanted_path,
    slot: stored.slot,
    tag: stored.tag,
    compress: stored.compress,
    device: stored.device === null ? undefined : BigInt(stored.device),
    inode: stored.inode === null ? undefined : BigInt(stored.inode),
    committedBytes: stored.committed_bytes,
    crc32: stored.crc32,
    memberBytes: stored.member_bytes,
    contentBytes: stored.content_bytes,
    events: stored.events,
    firstTime: stored.first_time ?? undefined,
    lastTime: stored.last_time ?? undefined,
    open: stored.open === 1,
    abandoned: stored.abandoned === 1,
    createdAt: stored.created_at,
    committedAt: stored.committed_at ?? undefined,
  };
}
