/**
 * How fast the archive takes lines, compresses and writes them, alone: `node bench/archive.ts [megabytes]`.
 *
 * Audit-like lines for 30 namespaces go into 30 files with two threads, with a commit every 64 MiB. `pigz -6 -p 2` on the
 * same content is what to compare with; where it is not installed, the compressor alone is measured.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { pino } from 'pino';
import { ArchiveRecords } from '../src/checkpoint/archive-records.ts';
import { openDatabase } from '../src/checkpoint/database.ts';
import { DEFAULTS } from '../src/config/limits.ts';
import { COMPRESSIONS, type Compression, type Durability } from '../src/config/types.ts';
import { compilePathTemplate, numberedSibling } from '../src/route/path-template.ts';
import { ByteBudget } from '../src/sink/file/byte-budget.ts';
import { CompressionPool } from '../src/sink/file/compression-pool.ts';
import { FileArchive } from '../src/sink/file/file-archive.ts';
import { Telemetry } from '../src/telemetry/telemetry.ts';
import { defaultFileSink } from '../test/helpers/default-file-sink.ts';
import { type AuditLine, auditLines } from './audit-lines.ts';

const COMMIT_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

const megabytes = Number(process.argv[2] ?? 200);
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-bench-'));
try {
  const lines = auditLines(megabytes * 1e6);
  const content = Buffer.concat(lines.map(({ bytes }) => Buffer.concat([bytes, Buffer.from('\n')])));
  console.log(`${lines.length} lines, ${(content.length / 1e6).toFixed(0)} MB`);
  measureReference(content);
  for (const blockBytes of [128, 256, 512]) {
    for (const durability of ['process', 'disk'] as const) {
      for (const compress of COMPRESSIONS)
        await measureArchive(lines, { blockBytes: blockBytes * 1024, durability, compress });
    }
  }
} finally {
  fs.rmSync(root, { recursive: true });
}

function measureReference(content: Buffer): void {
  const file = path.join(root, 'input');
  fs.writeFileSync(file, content);
  const started = performance.now();
  try {
    execFileSync('pigz', ['-6', '-p', '2', '-k', file]);
    report('pigz -6 -p 2', content.length, performance.now() - started, fs.statSync(`${file}.gz`).size);
  } catch {
    const sample = content.subarray(0, 50e6);
    const begun = performance.now();
    const size = zlib.gzipSync(sample, { level: 6 }).length;
    report('zlib level 6 on one core (pigz is not installed)', sample.length, performance.now() - begun, size);
  }
  fs.rmSync(file);
}

async function measureArchive(
  lines: readonly AuditLine[],
  { blockBytes, durability, compress }: { blockBytes: number; durability: Durability; compress: Compression },
): Promise<void> {
  const directory = path.join(root, `${blockBytes}-${durability}-${compress}`);
  const db = openDatabase(path.join(directory, 'state'), durability);
  const records = new ArchiveRecords(db);
  const budget = new ByteBudget(64 * 1024 * 1024);
  const config = defaultFileSink({
    path: path.join(directory, 'out', 'audit-${tag[1..]}.%Y%m%d%H.log'),
    compress,
    level: DEFAULTS.levels[compress],
    time: ['arrival'],
  });
  const archive = new FileArchive(config, {
    records,
    budget,
    pool: new CompressionPool(2),
    telemetry: new Telemetry(pino({ level: 'silent' })),
    durability,
    cutDir: path.join(directory, 'state', 'cut'),
    tailLimit: COMMIT_BYTES,
    blockBytes,
    paths: compilePathTemplate(config.path, config.timezone),
    sibling: numberedSibling,
  });
  await archive.start();
  const started = performance.now();
  const cpu = process.cpuUsage();
  let uncommitted = 0;
  let chunk = 0;
  let total = 0;
  let committing: Promise<void> = Promise.resolve();
  const commit = async () => {
    const cut = archive.cut();
    const rows = await archive.flush(cut);
    db.transaction(() => records.save(rows))();
    archive.committed(cut);
  };
  for (const { tag, bytes } of lines) {
    archive.append(tag, 0, bytes, 0, bytes.length);
    total += bytes.length + 1;
    uncommitted += bytes.length + 1;
    chunk += bytes.length + 1;
    if (chunk < CHUNK_BYTES) continue;
    chunk = 0;
    // A reader awaits its next chunk here.
    await new Promise((resolve) => setImmediate(resolve));
    if (budget.used >= budget.limit) await budget.whenBelow();
    if (uncommitted < COMMIT_BYTES) continue;
    await committing;
    committing = commit();
    uncommitted = 0;
  }
  await committing;
  await commit();
  const elapsed = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  let size = 0;
  for (const record of records.open('archive')) size += record.committedBytes;
  report(
    `archive, ${compress} ${config.level}, blocks of ${blockBytes / 1024} KiB, ${durability}, ${((user + system) / 1e6).toFixed(2)} s CPU`,
    total,
    elapsed,
    size,
  );
  await archive.close();
  db.close();
  fs.rmSync(directory, { recursive: true });
}

function report(what: string, bytes: number, ms: number, size: number): void {
  const speed = (bytes / 1e6 / ms).toFixed(3);
  console.log(`${what}: ${(ms / 1000).toFixed(2)} s, ${speed} GB/s, ratio ${(bytes / size).toFixed(2)}`);
}
