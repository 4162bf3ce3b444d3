import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { readFluentBitDatabase } from '../../checkpoint/fluent-bit-database.ts';
import { AuditailError } from '../../errors.ts';
import { parsePosFile } from './pos-file.ts';

export const OTHER_AGENTS = ['fluentd', 'fluent-bit'] as const;
export type OtherAgent = (typeof OTHER_AGENTS)[number];

/** How far another agent has read a file. */
export interface OtherPosition {
  /** Where it stands in the other agent's file: `line 3`, `id 7`. */
  readonly place: string;
  /** As the other agent named the log. */
  readonly path: string;
  readonly inode: bigint;
  readonly offset: bigint;
}

export interface OtherPositions {
  readonly agent: OtherAgent;
  readonly positions: readonly OtherPosition[];
}

/** A position takes about a hundred bytes, and fluentd compacts the file. */
const MAX_POS_FILE_BYTES = 64 * 1024 * 1024;

const SQLITE_MAGIC = 'SQLite format 3\0';

/**
 * Reads fluentd's `pos_file` or the database of Fluent Bit's tail. Which one it is, its content tells.
 *
 * @returns positions in the order in which they stand there
 * @throws AuditailError `IMPORT_READ`, `IMPORT_FORMAT`
 */
export function readOtherPositions(file: string, expected: OtherAgent | undefined): OtherPositions {
  const agent = agentOf(file);
  if (expected !== undefined && expected !== agent) {
    const is = agent === 'fluentd' ? 'is no SQLite database' : 'is an SQLite database';
    throw new AuditailError('IMPORT_FORMAT', `${file} ${is}, and so no file with the positions of ${expected}`);
  }
  return { agent, positions: agent === 'fluentd' ? readPosFile(file) : readDatabase(file) };
}

function readPosFile(file: string): OtherPosition[] {
  const { size } = statSync(file);
  if (size <= MAX_POS_FILE_BYTES) return parsePosFile(readFileSync(file), file);
  throw new AuditailError('IMPORT_FORMAT', `${file} has ${size} bytes, and is no pos_file of fluentd`);
}

function readDatabase(file: string): OtherPosition[] {
  return readFluentBitDatabase(file).map(({ id, name, offset, inode }) => ({
    place: `id ${id}`,
    path: name,
    inode,
    offset,
  }));
}

function agentOf(file: string): OtherAgent {
  const begin = Buffer.alloc(SQLITE_MAGIC.length);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, begin);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new AuditailError('IMPORT_READ', `cannot read ${file}`, {
      cause,
      hint: 'Name the pos_file of fluentd, or the DB of Fluent Bit, and run it as a user who can read it',
    });
  }
  return begin.toString('latin1') === SQLITE_MAGIC ? 'fluent-bit' : 'fluentd';
}
