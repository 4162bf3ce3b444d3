import { closeSync, constants, existsSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Durability, HttpSinkConfig } from '../config/types.ts';
import { AuditailError } from '../errors.ts';
import type { HttpOccurrences } from '../telemetry/http-occurrences.ts';
import { createStateDir } from './database.ts';
import { DEAD_LETTER_MIGRATIONS } from './dead-letter-migrations.ts';
import { type Database, openSqlite, openSqliteReadOnly, type SqliteFile, setDurability } from './sqlite-file.ts';

/** Raw audit events are nobody's but the owner's. */
const FILE_MODE = 0o600;

/** What a row takes beside its texts and its line, roughly. */
const ROW_BYTES = 64;

/** An event that a receiver will never take. Times are milliseconds since the epoch. */
export interface LetterEvent {
  readonly tag: string;
  readonly time: number;
  readonly line: Buffer;
  readonly source: string;
  readonly path: string;
  readonly offset: number;
}

/** A dead letter as it is kept. */
export interface KeptLetter {
  /** Ascending in the order in which letters were put aside; never used twice. */
  readonly id: number;
  readonly sink: string;
  /** When it was put aside first. */
  readonly putAt: number;
  /** What the receiver said last. */
  readonly reason: string;
  /** How often it was sent. */
  readonly attempts: number;
  readonly event: LetterEvent;
}

export interface LetterTotals {
  readonly sink: string;
  readonly events: number;
  /** Of lines, texts and rows, as `deadletter.max_bytes` counts them. */
  readonly bytes: number;
}

interface LetterRow extends LetterEvent {
  readonly id: number;
  readonly sink: string;
  readonly putAt: number;
  readonly reason: string;
  readonly attempts: number;
}

export function deadLetterPath(stateDir: string): string {
  return path.join(stateDir, 'deadletter.sqlite');
}

/**
 * What receivers rejected, in a database of its own: the command line changes it while the agent runs, and a damaged one
 * does not take the state along.
 */
export class DeadLetterStore {
  readonly #db: Database;
  readonly #path: string;

  /** Opens the store, creating it. @throws AuditailError `DEADLETTER_OPEN`, `DEADLETTER_CORRUPT`, `DEADLETTER_VERSION` */
  static open(stateDir: string, durability: Durability): DeadLetterStore {
    createStateDir(stateDir);
    createPrivately(deadLetterPath(stateDir));
    return new DeadLetterStore(openSqlite(storeFile(stateDir), durability));
  }

  /** Opens a store to change it; undefined when there is none. @throws as {@link open} */
  static openExisting(stateDir: string, durability: Durability): DeadLetterStore | undefined {
    return existsSync(deadLetterPath(stateDir)) ? DeadLetterStore.open(stateDir, durability) : undefined;
  }

  /** Opens a store to look at it; undefined when there is none. @throws as {@link open} */
  static openReadOnly(stateDir: string): DeadLetterStore | undefined {
    if (!existsSync(deadLetterPath(stateDir))) return undefined;
    return new DeadLetterStore(openSqliteReadOnly(storeFile(stateDir)));
  }

  private constructor(db: Database) {
    this.#db = db;
    this.#path = db.name;
  }

  /** Where one sink puts its dead letters. `now`: milliseconds since the epoch. */
  box(
    sink: string,
    limits: HttpSinkConfig['deadletter'],
    occurrences: HttpOccurrences,
    now: () => number = Date.now,
  ): { add(letters: readonly { readonly event: LetterEvent; readonly reason: string }[]): void } {
    const { events, bytes } = this.total(sink);
    occurrences.deadLetterSize(events, bytes);
    return {
      add: (letters) => {
        const dropped = this.#db.transaction(() => this.#add(sink, limits, letters, now())).immediate();
        if (dropped > 0) occurrences.deadLettersDropped(dropped);
        const total = this.total(sink);
        occurrences.deadLetterSize(total.events, total.bytes);
      },
    };
  }

  /** Of each sink that has letters, by name. */
  totals(): LetterTotals[] {
    return this.#db
      .prepare('SELECT sink, events, bytes FROM totals WHERE events > 0 ORDER BY sink')
      .all() as LetterTotals[];
  }

  total(sink: string): LetterTotals {
    const row = this.#db.prepare('SELECT sink, events, bytes FROM totals WHERE sink = ?').get(sink);
    return (row as LetterTotals | undefined) ?? { sink, events: 0, bytes: 0 };
  }

  /** The ids of a sink's letters, ascending, behind `after`; at most `limit` of them. */
  ids(sink: string, { after = 0, limit }: { after?: number; limit: number }): number[] {
    return this.#db
      .prepare('SELECT id FROM letters WHERE sink = ? AND id > ? ORDER BY id LIMIT ?')
      .pluck()
      .all(sink, after, limit) as number[];
  }

  /** 0 when the sink has no letters. */
  newestId(sink: string): number {
    const newest = this.#db.prepare('SELECT max(id) FROM letters WHERE sink = ?').pluck().get(sink);
    return (newest as number | null) ?? 0;
  }

  get(id: number): KeptLetter | undefined {
    const row = this.#db
      .prepare(
        'SELECT id, sink, put_at AS putAt, time, tag, source, path, offset, reason, attempts, line FROM letters WHERE id = ?',
      )
      .get(id) as LetterRow | undefined;
    if (row === undefined) return undefined;
    const { sink, putAt, reason, attempts, ...event } = row;
    const { tag, time, line, source, path, offset } = event;
    return { id, sink, putAt, reason, attempts, event: { tag, time, line, source, path, offset } };
  }

  /** Gives how many were there. */
  remove(ids: readonly number[]): number {
    const statement = this.#db.prepare('DELETE FROM letters WHERE id = ?');
    return this.#db.transaction(() => ids.reduce((sum, id) => sum + statement.run(id).changes, 0)).immediate();
  }

  removeAll(sink: string): number {
    return this.#db.prepare('DELETE FROM letters WHERE sink = ?').run(sink).changes;
  }

  /** The letters of one sink become another's, which has none. */
  rename(from: string, to: string): void {
    this.#db
      .transaction(() => {
        this.#db.prepare('DELETE FROM totals WHERE sink = ? AND events = 0').run(to);
        this.#db.prepare('UPDATE totals SET sink = ? WHERE sink = ?').run(to, from);
        this.#db.prepare('UPDATE letters SET sink = ? WHERE sink = ?').run(to, from);
      })
      .immediate();
  }

  /** A receiver rejected the letter once more. */
  rejectedAgain(id: number, reason: string): void {
    this.#db.prepare('UPDATE letters SET reason = ?, attempts = attempts + 1 WHERE id = ?').run(reason, id);
  }

  /** From the next letter on. */
  setDurability(durability: Durability): void {
    setDurability(this.#db, durability);
  }

  close(): void {
    this.#db.close();
  }

  /** Gives how many older letters were dropped for these. */
  #add(
    sink: string,
    limits: HttpSinkConfig['deadletter'],
    letters: readonly { readonly event: LetterEvent; readonly reason: string }[],
    now: number,
  ): number {
    const sized = letters.map((letter) => ({ ...letter, bytes: letterBytes(letter) }));
    const before = this.total(sink);
    const bytes = before.bytes + sized.reduce((sum, letter) => sum + letter.bytes, 0);
    // An empty box takes whatever comes: what does not fit into it would never fit.
    if (limits.overflow === 'block' && before.events > 0 && bytes > limits.maxBytes) {
      throw new AuditailError('DEADLETTER_FULL', `the dead letters of the sink ${sink} are full in ${this.#path}`, {
        hint: `Send them again with: auditail deadletter resend --sink ${sink}, or drop them with: auditail deadletter drop --sink ${sink} --all`,
      });
    }
    const insert = this.#db.prepare(
      `INSERT INTO letters (sink, put_at, time, tag, source, path, offset, reason, attempts, bytes, line)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
    );
    for (const { event, reason, bytes } of sized) {
      const { time, tag, source, path, offset, line } = event;
      insert.run(sink, Math.round(now), time, tag, source, path, offset, reason, bytes, line);
    }
    return limits.overflow === 'drop_oldest' ? this.#trim(sink, limits.maxBytes) : 0;
  }

  /** Drops the oldest letters of a sink until they are within the limit; the newest one stays in any case. */
  #trim(sink: string, maxBytes: number): number {
    let { events, bytes } = this.total(sink);
    const oldest = this.#db.prepare('SELECT id, bytes FROM letters WHERE sink = ? ORDER BY id LIMIT 1');
    const drop = this.#db.prepare('DELETE FROM letters WHERE id = ?');
    let dropped = 0;
    for (; bytes > maxBytes && events > 1; events -= 1) {
      const letter = oldest.get(sink) as { id: number; bytes: number };
      drop.run(letter.id);
      bytes -= letter.bytes;
      dropped += 1;
    }
    return dropped;
  }
}

function storeFile(stateDir: string): SqliteFile {
  const file = deadLetterPath(stateDir);
  return { path: file, name: 'database of dead letters', code: 'DEADLETTER', migrations: DEAD_LETTER_MIGRATIONS };
}

/** SQLite gives the files beside a database the mode that the database has. */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, constants.O_RDWR | constants.O_CREAT, FILE_MODE));
  } catch (cause) {
    throw new AuditailError('DEADLETTER_OPEN', `cannot open the database of dead letters ${file}`, {
      cause,
      hint: 'The agent needs to read and write it and its directory (state_dir)',
    });
  }
}

function letterBytes({ event, reason }: { readonly event: LetterEvent; readonly reason: string }): number {
  const texts = [event.tag, event.source, event.path, reason].map((text) => Buffer.byteLength(text));
  return ROW_BYTES + event.line.length + texts.reduce((sum, bytes) => sum + bytes, 0);
}
