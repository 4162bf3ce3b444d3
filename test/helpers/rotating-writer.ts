import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hashLine, LineMultiset } from './line-multiset.ts';
import { Logrotate } from './logrotate.ts';
import { BackupGzip, backupName, pruneBackups } from './lumberjack.ts';

/**
 * - `rename`: as lumberjack does: close, rename, create anew.
 * - `rename-gzip`: the same, and the backup is gzipped.
 * - `rename-late`: rename and create, but the writer goes on in the old file until {@link RotatingWriter.reopen}.
 * - `copytruncate`: as logrotate does: older copies shifted, copy to `NAME.1`, truncate in place.
 * - `logrotate`: the program itself with `create`; the writer reopens when it has ended, as a postrotate script would ask.
 * - `logrotate-copytruncate`: the program itself with `copytruncate`.
 */
export const ROTATION_STYLES = [
  'rename',
  'rename-gzip',
  'rename-late',
  'copytruncate',
  'logrotate',
  'logrotate-copytruncate',
] as const;
export type RotationStyle = (typeof ROTATION_STYLES)[number];

export interface RotatingWriterOptions {
  /**
   * Write with O_APPEND, the default. lumberjack opens with it only a file that it finds at its start, not one that it
   * creates at a rotation: after a copytruncate such a writer leaves a hole of NULs. False gives that.
   */
  readonly append?: boolean;
  /** Epoch milliseconds, for the names of backups. Default: the time of the day. */
  readonly now?: () => number;
  /** Further directives for the `logrotate` styles, such as `compress`. */
  readonly logrotate?: readonly string[];
}

/** Characters kept of each line, to name it when it is lost. */
const DESCRIPTION_CHARACTERS = 200;

/** Writes a log, whole lines with one write(2) each, and rotates it when told to. Remembers every line it wrote. */
export class RotatingWriter {
  readonly path: string;
  /** Every line written, as often as it was written. */
  readonly expected = new LineMultiset();
  readonly #directory: string;
  readonly #name: string;
  readonly #append: boolean;
  readonly #now: () => number;
  readonly #directives: readonly string[];
  readonly #texts = new Map<string, string>();
  #fd: number;
  #partial: Buffer = Buffer.alloc(0);

  /** Opens the file, or creates it with mode 0600; its directory must exist. */
  constructor(path: string, options: RotatingWriterOptions = {}) {
    this.path = path;
    this.#directory = dirname(path);
    this.#name = basename(path);
    this.#append = options.append ?? true;
    this.#now = options.now ?? Date.now;
    this.#directives = options.logrotate ?? [];
    this.#fd = this.#open();
  }

  /** Writes lines; the newline is added. */
  writeLines(lines: Iterable<string | Buffer>): void {
    for (const line of lines) {
      const bytes = typeof line === 'string' ? Buffer.from(line) : line;
      this.#write(Buffer.concat([bytes, Buffer.from('\n')]));
      this.#remember(this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes]));
      this.#partial = Buffer.alloc(0);
    }
  }

  /** Writes the beginning of a line. It belongs to the next line that {@link writeLines} writes. */
  writePart(text: string | Buffer): void {
    const bytes = Buffer.from(text);
    this.#write(bytes);
    this.#partial = Buffer.concat([this.#partial, bytes]);
  }

  /** @returns the path of the rotated part. */
  rotate(style: RotationStyle): string {
    switch (style) {
      case 'rename': {
        closeSync(this.#fd);
        const backup = this.#moveAside();
        this.#fd = this.#open();
        return backup;
      }
      case 'rename-gzip': {
        const gzip = new BackupGzip(this.rotate('rename'));
        gzip.finish();
        return gzip.gzPath;
      }
      case 'rename-late': {
        const backup = this.#moveAside();
        closeSync(this.#open());
        return backup;
      }
      case 'copytruncate': {
        const copy = this.copyAside();
        this.truncate();
        return copy;
      }
      case 'logrotate':
        this.#logrotate('create 0600');
        this.reopen();
        return `${this.path}.1`;
      case 'logrotate-copytruncate':
        this.#logrotate('copytruncate');
        return `${this.path}.1`;
    }
  }

  /** Opens the live file by its name, and closes the one that was written until now. */
  reopen(): void {
    closeSync(this.#fd);
    this.#fd = this.#open();
  }

  /** The first half of copytruncate. What is written before {@link truncate} is lost to everybody but a reader. */
  copyAside(): string {
    const parts = readdirSync(this.#directory)
      .map((name) => ({ name, match: /^\.(\d+)(\.gz)?$/.exec(name.slice(this.#name.length)) }))
      .filter(({ name, match }) => name.startsWith(this.#name) && match !== null)
      .map(({ name, match }) => ({ name, number: Number(match![1]), gz: match![2] ?? '' }));
    for (const { name, number, gz } of parts.sort((a, b) => b.number - a.number)) {
      renameSync(join(this.#directory, name), join(this.#directory, `${this.#name}.${number + 1}${gz}`));
    }
    const copy = `${this.path}.1`;
    copyFileSync(this.path, copy, constants.COPYFILE_EXCL);
    return copy;
  }

  /** The second half of copytruncate. */
  truncate(): void {
    truncateSync(this.path);
  }

  /** Removes all but the newest `keep` backups as lumberjack does. @returns the names removed. */
  prune(keep: number): string[] {
    return pruneBackups(this.#directory, this.#name, keep);
  }

  /** The beginning of a written line, by its hash in hexadecimal digits. */
  describe(hash: string): string {
    return this.#texts.get(hash) ?? hash;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #open(): number {
    const append = this.#append || existsSync(this.path);
    const flags = constants.O_CREAT | constants.O_WRONLY | (append ? constants.O_APPEND : constants.O_TRUNC);
    return openSync(this.path, flags, 0o600);
  }

  #write(bytes: Buffer): void {
    const written = writeSync(this.#fd, bytes);
    if (written !== bytes.length) throw new Error(`${this.path}: wrote ${written} of ${bytes.length} bytes`);
  }

  #remember(line: Buffer): void {
    const hash = hashLine(line);
    this.expected.expect(hash);
    this.#texts.set(hash.toString('hex'), line.toString('utf8', 0, DESCRIPTION_CHARACTERS));
  }

  /** Renames the live file. lumberjack would overwrite a backup of the same millisecond; here the next free one is used. */
  #moveAside(): string {
    let atMs = this.#now();
    const target = (): string => join(this.#directory, backupName(this.#name, atMs));
    while (existsSync(target()) || existsSync(`${target()}.gz`)) atMs++;
    renameSync(this.path, target());
    return target();
  }

  #logrotate(directive: string): void {
    const program = new Logrotate(this.path, [directive, ...this.#directives]);
    try {
      program.run();
    } finally {
      program.remove();
    }
  }
}
