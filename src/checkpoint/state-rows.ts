import type Sqlite from 'better-sqlite3';

/** Beyond this a JavaScript number is another one than SQLite's. */
const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

const isNumber = (column: string) => `(${column} BETWEEN 0 AND ${MAX_INTEGER})`;
/** SQLite's functions of text end at a NUL, and do not see what stands behind it. */
const isText = (column: string) => `instr(CAST(${column} AS BLOB), x'00') = 0`;
const hasDigitsOnly = (column: string) => `(${column} NOT GLOB '*[^0-9]*' AND ${isText(column)})`;
/** Device and inode numbers are text; 20 digits are 64 bits. */
const isDigits = (column: string) => `(length(${column}) BETWEEN 1 AND 20 AND ${hasDigitsOnly(column)})`;
const isPath = (column: string) => `(${column} LIKE '/%' AND ${isText(column)})`;
const isFlag = (column: string) => `(${column} IN (0, 1))`;

/** By table: what each of its rows is, as the agent writes them. NULL is no violation. */
const INVARIANTS: Readonly<Record<string, readonly string[]>> = {
  settings: [
    `name <> 'tail_limit' OR ${hasDigitsOnly('value')}`,
    `name <> 'sink_rename' OR (json_valid(value) AND ${isText('value')})`,
  ],
  streams: [isPath('path')],
  segments: [
    ...['device', 'inode'].map(isDigits),
    isPath('path'),
    ...['size_seen', 'head_bytes'].map(isNumber),
    ...['finished', 'may_grow'].map(isFlag),
  ],
  offsets: [isNumber('offset')],
  anchors: [...['offset', 'length'].map(isNumber), 'length(lines) % 8 = 0'],
  archives: [
    ...['path', 'wanted_path'].map(isPath),
    ...['device', 'inode'].map(isDigits),
    "compress IN ('gzip', 'zstd', 'none')",
    'crc32 BETWEEN 0 AND 4294967295',
    ...['committed_bytes', 'member_bytes', 'content_bytes', 'events'].map(isNumber),
    ...['open', 'abandoned'].map(isFlag),
  ],
  gaps: [isPath('path'), ...['start_offset', 'end_offset'].map(isNumber)],
  spools: ['segment BETWEEN 0 AND 4294967295', isNumber('offset')],
};

/**
 * A table with a row that the agent cannot have written; undefined where there is none. A changed byte in a value is
 * nothing that SQLite tells: it has no checksums.
 */
export function foreignRows(db: Sqlite.Database): string | undefined {
  for (const [table, invariants] of Object.entries(INVARIANTS)) {
    const violated = invariants.map((invariant) => `NOT (${invariant})`).join(' OR ');
    if (db.prepare(`SELECT 1 FROM ${table} WHERE ${violated} LIMIT 1`).get() !== undefined) return table;
  }
  const [orphan] = db.pragma('foreign_key_check') as { table: string }[];
  return orphan?.table;
}
