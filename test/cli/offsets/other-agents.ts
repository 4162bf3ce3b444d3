import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';

export interface Known {
  readonly path: string;
  readonly offset: number | bigint;
  readonly inode: bigint;
}

export function inodeOf(file: string): bigint {
  return statSync(file, { bigint: true }).ino;
}

/** A line of a `pos_file`, as fluentd's `"%s\t%016x\t%016x\n"` writes it. */
export function posLine({ path, offset, inode }: Known, inodeDigits = 16): string {
  return `${path}\t${offset.toString(16).padStart(16, '0')}\t${inode.toString(16).padStart(inodeDigits, '0')}\n`;
}

export function writePosFile(file: string, entries: readonly Known[]): void {
  writeFileSync(file, entries.map((entry) => posLine(entry)).join(''));
}

/** The statements of Fluent Bit's `tail_sql.h`; 5.0.3 adds the last two columns. */
const CREATE = `CREATE TABLE IF NOT EXISTS in_tail_files (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  offset  INTEGER,
  inode   INTEGER,
  created INTEGER,
  rotated INTEGER DEFAULT 0
);`;
const MARKERS = `ALTER TABLE in_tail_files ADD COLUMN offset_marker INTEGER DEFAULT 0;
ALTER TABLE in_tail_files ADD COLUMN offset_marker_size INTEGER DEFAULT 0;`;

export function fluentBitSql(entries: readonly Known[], options: { markers?: boolean } = {}): string {
  const rows = entries.map(
    ({ path, offset, inode }) =>
      `INSERT INTO in_tail_files (name, offset, inode, created) VALUES ('${path}', ${offset}, ${BigInt.asIntN(64, inode)}, 1795186800);`,
  );
  return [CREATE, options.markers === true ? MARKERS : '', ...rows].join('\n');
}

export function writeFluentBitDb(file: string, entries: readonly Known[], options: { markers?: boolean } = {}): void {
  execFileSync('sqlite3', [file], { input: `PRAGMA journal_mode = WAL;\n${fluentBitSql(entries, options)}` });
}

/**
 * A database whose rows are in its write-ahead log only, as a Fluent Bit leaves it that was killed.
 *
 * @throws Error when there is no such log, so that no test passes without one
 */
export async function writeKilledFluentBitDb(file: string, entries: readonly Known[]): Promise<void> {
  const program = spawn('sqlite3', ['-batch', file], { stdio: ['pipe', 'pipe', 'inherit'] });
  program.stdin.write(
    `PRAGMA journal_mode = WAL;\nPRAGMA wal_autocheckpoint = 0;\n${fluentBitSql(entries, { markers: true })}\nSELECT 'written';\n`,
  );
  let answers = '';
  for await (const text of program.stdout.setEncoding('utf8')) {
    answers += text;
    if (answers.includes('written')) break;
  }
  const ended = once(program, 'exit');
  program.kill('SIGKILL');
  await ended;
  if (!existsSync(`${file}-wal`) || statSync(`${file}-wal`).size === 0)
    throw new Error(`${file} has no write-ahead log`);
}
