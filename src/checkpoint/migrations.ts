/**
 * The schema, as a list of steps: step N takes a database from `user_version` N to N + 1. A released step is never
 * edited, only followed by another.
 *
 * Times are milliseconds since the epoch. Device and inode numbers are 64-bit and unsigned in the kernel; they are
 * stored as text in decimal, because SQLite's integers are signed and JavaScript's numbers are not exact beyond 2^53.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- Facts that outlive a run.
  CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- A source that was started once: read_from applies only before that.
  CREATE TABLE sources (
    name       TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL
  ) STRICT;

  -- One logical log: a live file and all its rotated predecessors.
  CREATE TABLE streams (
    id     INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    path   TEXT NOT NULL,
    UNIQUE (source, path)
  ) STRICT;

  -- One physical file of a stream. Rows outlive their files.
  CREATE TABLE segments (
    id         INTEGER PRIMARY KEY,
    stream     INTEGER NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    device     TEXT NOT NULL,
    inode      TEXT NOT NULL,
    head       TEXT NOT NULL,
    path       TEXT NOT NULL,
    size_seen  INTEGER NOT NULL,
    first_time INTEGER,
    last_time  INTEGER,
    finished   INTEGER NOT NULL DEFAULT 0,
    seen_at    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX segments_by_stream ON segments (stream, finished);
  CREATE INDEX segments_by_head ON segments (head);

  -- The checkpoint: how far each sink has durably taken a segment, in bytes of its uncompressed content.
  CREATE TABLE offsets (
    sink    TEXT NOT NULL,
    segment INTEGER NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
    offset  INTEGER NOT NULL,
    PRIMARY KEY (sink, segment)
  ) STRICT, WITHOUT ROWID;

  -- What the content before an offset was. lines: for each line since the anchor before, its length with the newline
  -- and a digest, as pairs of little-endian 32-bit numbers, so that a log that was cut back can be resumed at the
  -- very line where it differs.
  CREATE TABLE anchors (
    segment INTEGER NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
    offset  INTEGER NOT NULL,
    length  INTEGER NOT NULL,
    hash    TEXT NOT NULL,
    lines   BLOB,
    PRIMARY KEY (segment, offset)
  ) STRICT, WITHOUT ROWID;

  -- One output file of a file sink, registered before it is created. path is a numbered sibling of wanted_path where
  -- that was taken. open: it may be longer on disk than committed_bytes. abandoned: somebody else changed or removed it.
  CREATE TABLE archives (
    id              INTEGER PRIMARY KEY,
    sink            TEXT NOT NULL,
    path            TEXT NOT NULL UNIQUE,
    wanted_path     TEXT NOT NULL,
    slot            INTEGER NOT NULL,
    tag             TEXT NOT NULL,
    compress        TEXT NOT NULL,
    device          TEXT,
    inode           TEXT,
    committed_bytes INTEGER NOT NULL DEFAULT 0,
    crc32           INTEGER NOT NULL DEFAULT 0,
    member_bytes    INTEGER NOT NULL DEFAULT 0,
    content_bytes   INTEGER NOT NULL DEFAULT 0,
    events          INTEGER NOT NULL DEFAULT 0,
    first_time      INTEGER,
    last_time       INTEGER,
    open            INTEGER NOT NULL DEFAULT 1,
    abandoned       INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    committed_at    INTEGER
  ) STRICT;
  CREATE INDEX archives_by_wanted_path ON archives (wanted_path);
  CREATE INDEX archives_by_slot ON archives (sink, slot);
  CREATE INDEX archives_by_age ON archives (sink, open, committed_at);

  -- A range of a stream that vanished unread. end_offset NULL: unknown.
  CREATE TABLE gaps (
    id           INTEGER PRIMARY KEY,
    stream       INTEGER NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    path         TEXT NOT NULL,
    start_offset INTEGER NOT NULL,
    end_offset   INTEGER,
    before_time  INTEGER,
    after_time   INTEGER,
    reason       TEXT NOT NULL,
    found_at     INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- How far the spool of an HTTP sink was delivered: the number of one of its files and an offset in it.
  CREATE TABLE spools (
    sink    TEXT PRIMARY KEY,
    segment INTEGER NOT NULL,
    offset  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Of a container's log: the last line of the segment head_of goes on in the first head_bytes bytes of this one.
  ALTER TABLE segments ADD COLUMN head_of INTEGER;
  ALTER TABLE segments ADD COLUMN head_bytes INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Rotated, and not left alone for long when it was looked at: its writer may have added to size_seen since.
  ALTER TABLE segments ADD COLUMN may_grow INTEGER NOT NULL DEFAULT 0;
  `,
];
