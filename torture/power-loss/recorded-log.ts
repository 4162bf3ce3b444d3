import { closeSync, fstatSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { backupName } from '../../test/helpers/lumberjack.ts';
import type { CrashSite } from './crash-site.ts';
import type { OperationLog } from './operation.ts';

/** A rotated file. */
export interface Backup {
  readonly path: string;
  /** Of its content, also when it is gzipped. */
  readonly bytes: number;
  /** Its own, and that of its gzip. */
  readonly inodes: readonly bigint[];
}

/**
 * An audit log whose writer is recorded, too: lumberjack's rotation, gzip and removal. Each step is recorded before it is
 * done, so that the log of the record never lacks what the agent had read by then.
 */
export class RecordedLog {
  readonly path: string;
  readonly #site: CrashSite;
  readonly #record: OperationLog;
  #fd: number;
  #size = 0;
  #backups: Backup[] = [];
  #lastName = 0;

  constructor(path: string, site: CrashSite, record: OperationLog) {
    this.path = path;
    this.#site = site;
    this.#record = record;
    this.#fd = this.#create(path);
  }

  get inode(): bigint {
    return fstatSync(this.#fd, { bigint: true }).ino;
  }

  get size(): number {
    return this.#size;
  }

  /** Oldest first. */
  get backups(): readonly Backup[] {
    return this.#backups;
  }

  /** Appends lines with one write(2), the newlines included. */
  append(lines: Buffer): void {
    this.#write(this.#fd, lines, this.#size);
    this.#size += lines.length;
  }

  rotate(): void {
    // Backups of one millisecond would have one name.
    this.#lastName = Math.max(Date.now(), this.#lastName + 1);
    const target = join(dirname(this.path), backupName('audit.log', this.#lastName));
    const { inode } = this;
    closeSync(this.#fd);
    this.#record.append({ kind: 'rename', inode, path: this.path, target });
    renameSync(this.path, target);
    this.#backups.push({ path: target, bytes: this.#size, inodes: [inode] });
    this.#fd = this.#create(this.path);
    this.#size = 0;
  }

  /** Gzips the newest backup that is not, piece by piece; `pause` is waited for between two. */
  async gzipBackup(content: Buffer, pause: () => Promise<void>): Promise<void> {
    const index = this.#backups.findLastIndex(({ path }) => !path.endsWith('.gz'));
    const backup = this.#backups[index];
    if (backup === undefined) return;
    const gzPath = `${backup.path}.gz`;
    const compressed = gzipSync(content);
    const fd = this.#create(gzPath);
    const half = compressed.length >> 1;
    this.#write(fd, compressed.subarray(0, half), 0);
    await pause();
    this.#write(fd, compressed.subarray(half), half);
    closeSync(fd);
    await pause();
    this.#remove(backup.path);
    this.#backups[index] = { ...backup, path: gzPath, inodes: [...backup.inodes, inodeOf(gzPath)] };
  }

  prune(): void {
    const oldest = this.#backups.shift();
    if (oldest !== undefined) this.#remove(oldest.path);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Only its inode is known too late to tell of it before: the agent has nothing to read in it yet. */
  #create(path: string): number {
    const fd = openSync(path, 'ax', 0o600);
    const inode = fstatSync(fd, { bigint: true }).ino;
    this.#record.append({ kind: 'create', inode, path, offset: 0o600 });
    return fd;
  }

  #write(fd: number, data: Buffer, offset: number): void {
    this.#record.append({ kind: 'write', inode: fstatSync(fd, { bigint: true }).ino, offset, data });
    const written = writeSync(fd, data);
    if (written !== data.length) throw new Error(`${this.path}: wrote ${written} of ${data.length} bytes`);
  }

  #remove(path: string): void {
    const inode = inodeOf(path);
    linkSync(path, join(this.#site.inodes, String(inode)));
    this.#record.append({ kind: 'unlink', inode, path });
    rmSync(path);
  }
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true }).ino;
}
