/**
 * The schema of the database of dead letters, as a list of steps like that of the state database: a released step is
 * never edited. Times are milliseconds since the epoch.
 */
export const DEAD_LETTER_MIGRATIONS: readonly string[] = [
  `
  -- An id is never used twice, so that a list that somebody looks at never means another letter.
  CREATE TABLE letters (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    sink     TEXT NOT NULL,
    put_at   INTEGER NOT NULL,
    time     REAL NOT NULL,
    tag      TEXT NOT NULL,
    source   TEXT NOT NULL,
    path     TEXT NOT NULL,
    offset   INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    line     BLOB NOT NULL
  ) STRICT;
  CREATE INDEX letters_by_sink ON letters (sink, id);

  -- What each sink has, so that a limit needs no look at all letters.
  CREATE TABLE totals (
    sink   TEXT PRIMARY KEY,
    events INTEGER NOT NULL,
    bytes  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TRIGGER letter_kept AFTER INSERT ON letters BEGIN
    INSERT INTO totals (sink, events, bytes) VALUES (new.sink, 1, new.bytes)
      ON CONFLICT (sink) DO UPDATE SET events = events + 1, bytes = bytes + excluded.bytes;
  END;

  CREATE TRIGGER letter_removed AFTER DELETE ON letters BEGIN
    UPDATE totals SET events = events - 1, bytes = bytes - old.bytes WHERE sink = old.sink;
  END;
  `,
];
