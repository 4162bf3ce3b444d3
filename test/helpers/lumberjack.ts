import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join, parse } from 'node:path';
import { gzipSync } from 'node:zlib';

/*
 * What gopkg.in/natefinch/lumberjack.v2, vendored by Kubernetes, does with rotated files (lumberjack.go: backupName,
 * timeFromName, oldLogFiles, millRunOnce, compressLogFile).
 */

/** The name that a live file gets when it is rotated: `audit.log` becomes `audit-2026-01-15T09-00-00.000.log`, in UTC. */
export function backupName(liveName: string, atMs: number): string {
  const { name, ext } = parse(liveName);
  return `${name}-${new Date(atMs).toISOString().slice(0, -1).replaceAll(':', '-')}${ext}`;
}

/** True for the name of a backup of `liveName`, gzipped or not. */
function isBackup(liveName: string, fileName: string): boolean {
  const { name, ext } = parse(liveName);
  const plain = fileName.endsWith(`${ext}.gz`) ? fileName.slice(0, -3) : fileName;
  if (!plain.startsWith(`${name}-`) || !plain.endsWith(ext)) return false;
  const stamp = plain.slice(name.length + 1, plain.length - ext.length);
  return /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/.test(stamp);
}

/** The backups of a live file, newest first; a backup and its `.gz` are two entries. */
export function listBackups(directory: string, liveName: string): string[] {
  const names = readdirSync(directory).filter((name) => isBackup(liveName, name));
  return names.sort().reverse();
}

/**
 * Removes all but the newest `keep` backups, with their `.gz`. A backup that exists twice, while it is being gzipped,
 * counts once.
 *
 * @returns the names removed.
 */
export function pruneBackups(directory: string, liveName: string, keep: number): string[] {
  const preserved = new Set<string>();
  const removed: string[] = [];
  for (const name of listBackups(directory, liveName)) {
    preserved.add(name.replace(/\.gz$/, ''));
    if (preserved.size <= keep) continue;
    rmSync(join(directory, name));
    removed.push(name);
  }
  return removed;
}

/**
 * Gzips one backup step by step: `.gz` is created empty and grows beside the backup, which is removed last. Between two
 * steps the directory looks as it does while lumberjack is at work.
 */
export class BackupGzip {
  /** The backup, and the file that grows beside it. */
  readonly path: string;
  readonly gzPath: string;
  readonly #compressed: Buffer;
  readonly #fd: number;
  #written = 0;
  #done = false;

  constructor(backupPath: string) {
    this.path = backupPath;
    this.gzPath = `${backupPath}.gz`;
    this.#compressed = gzipSync(readFileSync(backupPath));
    this.#fd = openSync(this.gzPath, 'w', 0o600);
  }

  /** Compressed bytes that are not written yet. */
  get left(): number {
    return this.#compressed.length - this.#written;
  }

  /** Lets `.gz` grow by up to `bytes`. */
  step(bytes: number): void {
    const end = Math.min(this.#written + bytes, this.#compressed.length);
    while (this.#written < end)
      this.#written += writeSync(this.#fd, this.#compressed, this.#written, end - this.#written);
  }

  /** Writes the rest and removes the backup. A second call does nothing. */
  finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.step(this.left);
    closeSync(this.#fd);
    rmSync(this.path, { force: true });
  }

  /** Stops where it stands, as when the apiserver dies: both files stay. */
  abandon(): void {
    if (this.#done) return;
    this.#done = true;
    closeSync(this.#fd);
  }
}
