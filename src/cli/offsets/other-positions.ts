import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
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

const SQLITE_MAGIC = 'SQLite format 3\0';

/**
 * Reads fluentd's `pos_file` or the database of Fluent Bit's tail. Which one it is, its content tells. Of several
 * positions for one inode the last counts, as it does for those agents.
 *
 * @throws AuditailError `IMPORT_READ`, `IMPORT_FORMAT`
 */
export function readOtherPositions(file: string, expected: OtherAgent | undefined): OtherPositions {
  const agent = agentOf(file);
  if (expected !== undefined && expected !== agent) {
    const is = agent === 'fluentd' ? 'is no SQLite database' : 'is an SQLite database';
    throw new AuditailError('IMPORT_FORMAT', `${file} ${is}, and so no file with the positions of ${expected}`);
  }
  const all = agent === 'fluentd' ? parsePosFile(readFileSync(file), file) : readDatabase(file);
  return { agent, positions: [...new Map(all.map((one) => [one.inode, one])).values()] };
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
