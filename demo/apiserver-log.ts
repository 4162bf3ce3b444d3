import { closeSync, createReadStream, createWriteStream, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { backupName, listBackups, pruneBackups } from '../test/helpers/lumberjack.ts';

export interface ApiserverLogOptions {
  readonly path: string;
  /** Bytes after which the file is rotated (`--audit-log-maxsize`, which counts megabytes). */
  readonly maxSize: number;
  /** Rotated files that are kept (`--audit-log-maxbackup`). */
  readonly maxBackups: number;
}

/**
 * The kube-apiserver's audit log with `--audit-log-compress`: whole lines, one write(2) each, rotation by size, and in
 * the background removal of the oldest backups and gzip of the others, as lumberjack does it.
 */
export class ApiserverLog {
  rotations = 0;
  /** Backups removed to keep `maxBackups`. */
  pruned = 0;
  readonly #options: ApiserverLogOptions;
  readonly #directory: string;
  readonly #name: string;
  #fd: number;
  #size = 0;
  #milling: Promise<void> | undefined;
  #millAgain = false;

  constructor(options: ApiserverLogOptions) {
    this.#options = options;
    this.#directory = dirname(options.path);
    this.#name = basename(options.path);
    this.#fd = openSync(options.path, 'a', 0o600);
  }

  /** Appends one line, newline included. @throws Error on a short write. */
  write(line: Buffer): void {
    if (this.#size > 0 && this.#size + line.length > this.#options.maxSize) this.#rotate();
    const written = writeSync(this.#fd, line);
    if (written !== line.length) throw new Error(`${this.#options.path}: wrote ${written} of ${line.length} bytes`);
    this.#size += written;
  }

  /** Closes the file and waits for the background work. */
  async close(): Promise<void> {
    closeSync(this.#fd);
    while (this.#milling !== undefined) await this.#milling;
  }

  #rotate(): void {
    closeSync(this.#fd);
    renameSync(this.#options.path, join(this.#directory, backupName(this.#name, Date.now())));
    this.#fd = openSync(this.#options.path, 'a', 0o600);
    this.#size = 0;
    this.rotations++;
    this.#mill();
  }

  /** One run at a time; what asks meanwhile gets one more. */
  #mill(): void {
    if (this.#milling !== undefined) {
      this.#millAgain = true;
      return;
    }
    this.#milling = this.#millOnce().finally(() => {
      this.#milling = undefined;
      if (!this.#millAgain) return;
      this.#millAgain = false;
      this.#mill();
    });
  }

  async #millOnce(): Promise<void> {
    this.pruned += pruneBackups(this.#directory, this.#name, this.#options.maxBackups).length;
    for (const name of listBackups(this.#directory, this.#name)) {
      if (name.endsWith('.gz')) continue;
      const path = join(this.#directory, name);
      await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.gz`, { mode: 0o600 }));
      rmSync(path);
    }
  }
}
