import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import zlib from 'node:zlib';
import { pino } from 'pino';
import { ArchiveRecords } from '../../../src/checkpoint/archive-records.ts';
import { type Database, openDatabase } from '../../../src/checkpoint/database.ts';
import { DEFAULTS } from '../../../src/config/limits.ts';
import { ENDINGS, type FileSinkConfig } from '../../../src/config/types.ts';
import { compilePathTemplate, numberedSibling } from '../../../src/route/path-template.ts';
import { ByteBudget } from '../../../src/sink/file/byte-budget.ts';
import { CompressionPool } from '../../../src/sink/file/compression-pool.ts';
import { FileArchive, type FileArchiveDeps } from '../../../src/sink/file/file-archive.ts';
import { memberTrailer } from '../../../src/sink/file/gzip-format.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { defaultFileSink } from '../../helpers/default-file-sink.ts';

export const HOUR = 3_600_000;
/** 2026-11-20T15:00:00Z. */
export const T0 = Date.UTC(2026, 10, 20, 15);

export interface HarnessOptions extends Partial<Omit<FileArchiveDeps, 'records' | 'telemetry'>> {
  config?: Partial<FileSinkConfig>;
}

/** One archive in a temporary directory, with what an agent would do around it. */
export class Harness {
  readonly root: string;
  readonly options: HarnessOptions;
  readonly config: FileSinkConfig;
  /** Log lines of all starts. */
  readonly logs: Record<string, unknown>[] = [];
  readonly failures: unknown[] = [];
  now = T0 + 1000;
  db!: Database;
  records!: ArchiveRecords;
  archive!: FileArchive;
  budget!: ByteBudget;

  constructor(root: string, options: HarnessOptions = {}) {
    this.root = root;
    this.options = options;
    const { compress = 'gzip' } = options.config ?? {};
    this.config = defaultFileSink({
      path: path.join(this.dir, `audit-\${tag[1..]}.%Y%m%d%H.log${ENDINGS[compress]}`),
      time: ['arrival'],
      level: DEFAULTS.levels[compress],
      ...options.config,
    });
  }

  get dir(): string {
    return path.join(this.root, 'out');
  }

  get cutDir(): string {
    return path.join(this.root, 'state', 'cut');
  }

  /** Makes a new archive object over the state that is on disk, as a new process would. */
  create(): FileArchive {
    this.db?.close();
    this.db = openDatabase(path.join(this.root, 'state'), 'process');
    // No test here takes the power away, and hundreds of starts would each wait for the disk.
    this.db.pragma('synchronous = OFF');
    this.records = new ArchiveRecords(this.db);
    this.budget = this.options.budget ?? new ByteBudget(64 * 1024 * 1024);
    const log = pino(
      { level: 'info', messageKey: 'message' },
      { write: (line: string) => void this.logs.push(JSON.parse(line)) },
    );
    this.archive = new FileArchive(this.config, {
      pool: new CompressionPool(2),
      durability: 'process',
      cutDir: this.cutDir,
      tailLimit: 64 * 1024 * 1024,
      paths: compilePathTemplate(this.config.path, this.config.timezone),
      sibling: numberedSibling,
      now: () => this.now,
      ...this.options,
      records: this.records,
      budget: this.budget,
      telemetry: new Telemetry(log),
    });
    this.archive.onFailure((error) => this.failures.push(error));
    return this.archive;
  }

  async start(): Promise<FileArchive> {
    await this.create().start();
    return this.archive;
  }

  append(namespace: string, line: string, timeMs = T0): void {
    const bytes = Buffer.from(`<${line}>`);
    this.archive.append(`audit.${namespace}`, timeMs, bytes, 1, bytes.length - 1);
  }

  async commit(): Promise<number> {
    const cut = this.archive.cut();
    const rows = await this.archive.flush(cut);
    this.db.transaction(() => this.records.save(rows))();
    this.archive.committed(cut);
    return rows.length;
  }

  /** Path of the file of a namespace in the hour of `timeMs`. */
  file(namespace: string, timeMs = T0, sibling = 0): string {
    const wanted = compilePathTemplate(this.config.path, this.config.timezone).render(`audit.${namespace}`, timeMs);
    return sibling === 0 ? wanted : numberedSibling(wanted, sibling);
  }

  lines(namespace: string, timeMs = T0, sibling = 0): string[] {
    return readLines(this.file(namespace, timeMs, sibling));
  }

  files(): string[] {
    return fs.existsSync(this.dir) ? fs.readdirSync(this.dir).sort() : [];
  }

  cuts(): string[] {
    return fs.existsSync(this.cutDir) ? fs.readdirSync(this.cutDir).sort() : [];
  }

  logged(message: RegExp): Record<string, unknown>[] {
    return this.logs.filter((line) => message.test(String(line.message)));
  }
}

export function tempDir(t: TestContext): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-archive-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  return root;
}

export function harness(t: TestContext, options: HarnessOptions = {}): Harness {
  const made = new Harness(tempDir(t), options);
  t.after(async () => {
    await made.archive?.close();
    made.db?.close();
  });
  return made;
}

/** The lines of a file, decompressed as its name says; every member has to be whole. */
export function readLines(file: string): string[] {
  const text = decompress(file, fs.readFileSync(file)).toString();
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Error(`${file} ends within a line`);
  return text.slice(0, -1).split('\n');
}

function decompress(file: string, bytes: Buffer): Buffer {
  if (file.endsWith('.gz')) return zlib.gunzipSync(bytes);
  return file.endsWith('.zst') ? zlib.zstdDecompressSync(bytes) : bytes;
}

/** What the programs of the host read from a file: `gzip`, `zstd` or none, as its name says. */
export function programCat(file: string): Buffer {
  if (file.endsWith('.zst')) return zstdcat(file);
  if (!file.endsWith('.gz')) return fs.readFileSync(file);
  execFileSync('gzip', ['-t', file], { stdio: 'pipe' });
  return execFileSync('zcat', [file], { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] });
}

function zstdcat(file: string): Buffer {
  try {
    execFileSync('zstd', ['-q', '-t', file], { stdio: 'pipe' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    console.log(`no zstd program here: ${file} is only read by zlib`);
    return zlib.zstdDecompressSync(fs.readFileSync(file));
  }
  return execFileSync('zstd', ['-q', '-dc', file], { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The content of a file as a start would leave it: cut at its committed length, with its trailer. */
export function committedLines(records: ArchiveRecords, sink = 'archive'): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const record of records.open(sink)) {
    if (record.inode === undefined) continue;
    const content = fs.readFileSync(record.path).subarray(0, record.committedBytes);
    if (content.length < record.committedBytes) throw new Error(`${record.path} is shorter than committed`);
    const { compress, crc32, memberBytes } = record;
    const trailer = { gzip: memberTrailer(crc32, memberBytes), zstd: Buffer.alloc(0), none: Buffer.alloc(0) };
    const text = decompress(record.path, Buffer.concat([content, trailer[compress]])).toString();
    found.set(record.path, text === '' ? [] : text.slice(0, -1).split('\n'));
  }
  return found;
}
