import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { DamagedGzip, readGzip } from './gzip-reader.ts';
import { hashLine, type LineMultiset } from './line-multiset.ts';
import { DamagedZstd, readZstd } from './zstd-reader.ts';

/** Examples kept of each kind of difference, and characters kept of a line. */
const MAX_EXAMPLES = 10;
const EXAMPLE_CHARACTERS = 160;

export interface ArchiveLine {
  /** Without its newline; only valid until the next line is asked for. */
  readonly bytes: Buffer;
  /** 1 for the first line of the file. */
  readonly number: number;
  /** False for a last line without newline. */
  readonly complete: boolean;
}

/**
 * The lines of an archive file, `.gz`, `.zst` or plain, exactly as bytes. Memory: one chunk and the longest line.
 *
 * Not by split2, which decodes UTF-8: bytes that are no UTF-8 would come out as others.
 *
 * @throws DamagedGzip or DamagedZstd after the lines that could still be read.
 */
export async function* readLines(path: string): AsyncGenerator<ArchiveLine> {
  const pieces = readPieces(path);
  let number = 0;
  let rest: Buffer[] = [];
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, start)) {
      const part = piece.subarray(start, end);
      yield { bytes: rest.length === 0 ? part : Buffer.concat([...rest, part]), number: ++number, complete: true };
      rest = [];
      start = end + 1;
    }
    if (start < piece.length) rest.push(piece.subarray(start));
  }
  if (rest.length > 0) yield { bytes: Buffer.concat(rest), number: ++number, complete: false };
}

function readPieces(path: string): AsyncIterable<Buffer> {
  if (path.endsWith('.gz')) return readGzip(path);
  return path.endsWith('.zst') ? readZstd(path) : createReadStream(path);
}

/** Every file below a directory, as paths relative to it, in order. */
export async function archiveFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

/** What was read from one file of an archive. */
export interface FileReport {
  /** Relative to the archive's directory. */
  readonly file: string;
  readonly events: number;
  /** Content, newlines included. */
  readonly bytes: number;
  /** On disk. */
  readonly storedBytes: number;
  /** Why the file could not be read to its end, or had a last line without newline. */
  readonly damage: string | undefined;
}

export interface ArchiveComparison {
  readonly expected: number;
  /** Lines found, whatever they are. */
  readonly archived: number;
  /** Expected and not found. */
  readonly lost: number;
  /** Found once too often. */
  readonly duplicated: number;
  /** Found and never written. */
  readonly foreign: number;
  readonly files: readonly FileReport[];
  /** Up to ten of each. Lost lines are named by hash, or as `describe` says. */
  readonly examples: { readonly lost: string[]; readonly duplicated: string[]; readonly foreign: string[] };
}

export interface CompareOptions {
  /** Turns the hash of a lost line into something to recognise it by. */
  readonly describe?: (hash: string) => string;
  /** Sees each line, after it was counted; what it throws ends the comparison. */
  readonly onLine?: (file: string, line: ArchiveLine) => void;
  /** Told after each file. */
  readonly onFile?: (report: FileReport) => void;
}

/** Reads a whole archive back and sets it against what was written. The order of lines does not matter. */
export async function compareArchive(
  directory: string,
  expected: LineMultiset,
  options: CompareOptions = {},
): Promise<ArchiveComparison> {
  expected.clearFound();
  const files: FileReport[] = [];
  const examples = { lost: [] as string[], duplicated: [] as string[], foreign: [] as string[] };
  let archived = 0;
  let duplicated = 0;
  let foreign = 0;

  for (const file of await archiveFiles(directory)) {
    const path = join(directory, file);
    let events = 0;
    let bytes = 0;
    let damage: string | undefined;
    try {
      for await (const line of readLines(path)) {
        events++;
        bytes += line.bytes.length + (line.complete ? 1 : 0);
        if (!line.complete) damage = `${file}: the last line has no newline`;
        const found = expected.find(hashLine(line.bytes));
        if (found === 'duplicate') duplicated++;
        if (found === 'foreign') foreign++;
        if (found !== 'expected')
          keepExample(found === 'duplicate' ? examples.duplicated : examples.foreign, file, line);
        options.onLine?.(file, line);
      }
    } catch (error) {
      if (!(error instanceof DamagedGzip || error instanceof DamagedZstd)) throw error;
      damage = error.message;
    }
    const report = { file, events, bytes, storedBytes: (await stat(path)).size, damage };
    archived += events;
    files.push(report);
    options.onFile?.(report);
  }

  let lost = 0;
  for (const { hash, times } of expected.missing()) {
    lost += times;
    if (examples.lost.length < MAX_EXAMPLES) examples.lost.push(options.describe?.(hash) ?? hash);
  }
  return { expected: expected.total, archived, lost, duplicated, foreign, files, examples };
}

function keepExample(into: string[], file: string, line: ArchiveLine): void {
  if (into.length >= MAX_EXAMPLES) return;
  into.push(`${file}:${line.number}: ${line.bytes.toString('utf8', 0, EXAMPLE_CHARACTERS)}`);
}

/** `missing`: there is no such program here. */
export type Verdict = 'valid' | 'missing' | { readonly invalid: string };

/** What `gzip -t` says about files. */
export function gzipTest(...paths: string[]): Promise<Verdict> {
  return programTest('gzip', paths);
}

/** What `zstd -t` says about files. */
export function zstdTest(...paths: string[]): Promise<Verdict> {
  return programTest('zstd', paths);
}

async function programTest(program: string, paths: readonly string[]): Promise<Verdict> {
  // Without any it would read its standard input.
  if (paths.length === 0) return 'valid';
  try {
    await promisify(execFile)(program, ['-t', '--', ...paths]);
    return 'valid';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing';
    return { invalid: error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error) };
  }
}
