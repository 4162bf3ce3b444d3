import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { BackupGzip, backupName, listBackups } from '../test/helpers/lumberjack.ts';
import { RotatingWriter, type RotationStyle } from '../test/helpers/rotating-writer.ts';
import { FileWatch } from './file-watch.ts';
import { UNIQUE_BYTES } from './line-maker.ts';
import type { LogModel, NewLine, Part } from './log-model.ts';

interface WriterKind {
  readonly append: boolean;
  readonly compress: boolean;
}

/**
 * The log: its writer, and everything that rotations, operators and failures do to its files. Each method leaves the
 * {@link LogModel} true: what stands where, and what is gone.
 */
export class TorturedLog {
  readonly path: string;
  readonly #directory: string;
  /** Where a symlink leads to. */
  readonly #other: string;
  readonly #model: LogModel;
  readonly #files: FileWatch;
  #kind: WriterKind = { append: true, compress: false };
  #writer: RotatingWriter;
  /** What the writer has open, and whether with O_APPEND; where not, its place in the file. */
  #part: Part;
  #appends = true;
  #offset = 0;
  /** The beginning of a line, after which its writer died. */
  #fragment: Buffer | undefined;

  constructor(directory: string, model: LogModel) {
    this.#directory = join(directory, 'log');
    this.#other = join(directory, 'log', 'elsewhere');
    this.#model = model;
    this.path = join(this.#directory, 'audit.log');
    this.#files = new FileWatch(this.path, this.#other, model);
    mkdirSync(this.#other, { recursive: true, mode: 0o700 });
    this.#writer = new RotatingWriter(this.path);
    this.#files.look();
    this.#part = this.#files.at(this.path);
  }

  /** Whether the next line that is written is glued to one that nobody finished. */
  get hasFragment(): boolean {
    return this.#fragment !== undefined;
  }

  /** Writes lines; the first one is glued to what a writer left that died. */
  write(lines: readonly NewLine[]): void {
    for (const line of lines) {
      const start = this.#appends ? this.#part.size : this.#offset;
      this.#writer.writeLines([line.bytes]);
      this.#offset = start + line.bytes.length + 1;
      this.#part.size = this.#offset;
      if (this.#fragment === undefined) {
        this.#model.add(this.#part, start, this.#offset, line.bytes, [line]);
      } else {
        const begun = start - this.#fragment.length;
        const glued = Buffer.concat([this.#fragment, line.bytes]);
        this.#model.add(this.#part, begun, this.#offset, glued, [fragmentLine(this.#fragment), line]);
        this.#fragment = undefined;
      }
    }
  }

  rotate(style: RotationStyle): void {
    // Its writer goes on in the file that was renamed: what comes next is glued to a fragment all the same.
    if (style !== 'rename-late') this.#endPart();
    this.#writer.rotate(style);
    switch (style) {
      case 'copytruncate':
      case 'logrotate-copytruncate':
        this.#emptied();
        break;
      case 'rename':
      case 'rename-gzip':
        this.#opened({ existed: false });
        break;
      case 'logrotate':
        this.#opened({ existed: true });
        break;
      case 'rename-late':
        break;
    }
    this.#files.look();
  }

  /** The writer opens the live file by its name, as it is now. */
  reopen(): void {
    this.#endPart();
    const existed = existsSync(this.path);
    this.#writer.reopen();
    this.#opened({ existed });
  }

  truncate(): void {
    this.#endPart();
    truncateSync(this.path);
    this.#emptied();
  }

  /** Copies the file, lets the writer go on, and empties it. */
  copyAndTruncate(between: readonly NewLine[]): void {
    this.#endPart();
    this.#writer.copyAside();
    this.#files.look();
    this.write(between);
    this.truncate();
  }

  /** Another writer goes on with the live file, as when the apiserver is started again. */
  replaceWriter(kind: WriterKind = this.#kind): void {
    const existed = existsSync(this.path);
    if (!this.#files.isAt(this.path, this.#part)) this.#endPart();
    this.#writer.close();
    this.#kind = kind;
    this.#writer = new RotatingWriter(this.path, {
      append: kind.append,
      logrotate: kind.compress ? ['compress'] : [],
    });
    this.#opened({ existed });
  }

  /** The writer dies in the middle of a line. @param within how far, from 0 to 1. */
  dieWithin(line: NewLine, within: number): void {
    // Behind a hole the file has no place that is known before it is written.
    if (!this.#appends) this.replaceWriter();
    this.#writer.writePart(line.bytes.subarray(0, cutWithin(line.bytes.length, within)));
    this.#fragment = line.bytes.subarray(0, cutWithin(line.bytes.length, within));
    this.#part.size += this.#fragment.length;
    this.replaceWriter();
  }

  /** The host loses its power: the end of the live file is gone. @returns false where there is nothing to cut. */
  cutBack(lines: number, within: number): boolean {
    if (this.#fragment !== undefined || this.#part.loss !== undefined) return false;
    if (!this.#files.isAt(this.path, this.#part)) return false;
    const whole = this.#part.places.filter(({ end, loss }) => loss === undefined && end <= this.#part.size);
    const chosen = whole.slice(-lines)[0];
    if (chosen === undefined || statSync(this.path).size !== this.#part.size) return false;
    const content = readFileSync(this.path).subarray(chosen.start, chosen.end - 1);
    const [line, ...others] = this.#model.linesIn(content);
    if (line?.kind !== 'event' || others.length > 0) return false;
    const fragment = content.subarray(0, cutWithin(content.length, within));
    const size = chosen.start + fragment.length;
    truncateSync(this.path, size);
    this.#model.lose(this.#part, 'cut', size);
    this.#part.size = size;
    this.#fragment = fragment;
    this.replaceWriter();
    return true;
  }

  /** Removes all but the newest rotated parts. @returns how many. */
  deleteOldest(keep: number): number {
    const parts = readdirSync(this.#directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== basename(this.path))
      .map(({ name }) => ({ path: join(this.#directory, name), at: statSync(join(this.#directory, name)).mtimeMs }))
      .sort((a, b) => b.at - a.at)
      .slice(keep);
    for (const { path } of parts) rmSync(path);
    this.#files.look();
    return parts.length;
  }

  /** The newest backup that is not gzipped, about to be; undefined where there is none. */
  beginGzip(): BackupGzip | undefined {
    const backup = listBackups(this.#directory, basename(this.path)).find((name) => !name.endsWith('.gz'));
    if (backup === undefined) return undefined;
    const gzip = new BackupGzip(join(this.#directory, backup));
    this.#files.unfinished.add(gzip.gzPath);
    // What is lost of a broken one is told by its name.
    this.#files.at(gzip.path).paths.add(gzip.gzPath);
    return gzip;
  }

  /** @param abandon leaves it as it is, beside the backup. */
  endGzip(gzip: BackupGzip, { abandon }: { abandon: boolean }): void {
    if (abandon) {
      this.#model.halfGzipped.push(readFileSync(gzip.path));
      gzip.abandon();
    } else {
      gzip.finish();
      this.#files.unfinished.delete(gzip.gzPath);
    }
    this.#files.look();
  }

  deleteLive(): void {
    this.#endPart();
    rmSync(this.path);
    this.#files.look();
  }

  deleteDirectory(): void {
    this.#endPart();
    rmSync(this.#directory, { recursive: true });
    this.#files.look();
  }

  recreateDirectory(): void {
    mkdirSync(this.#other, { recursive: true, mode: 0o700 });
    this.reopen();
  }

  /** The live file becomes a symlink to a file in another directory; rotated parts are looked for there from now on. */
  linkElsewhere(): void {
    this.#endPart();
    const target = join(this.#other, basename(this.path));
    renameSync(this.path, this.#freeBackup());
    this.#files.look();
    for (const part of this.#files.parts()) this.#model.lose(part, 'hidden');
    symlinkSync(target, this.path);
    this.reopen();
  }

  /** And back: what stands there becomes a rotated part here. */
  linkBack(): void {
    this.#endPart();
    const target = readlinkSync(this.path);
    rmSync(this.path);
    renameSync(target, this.#freeBackup());
    this.reopen();
  }

  /** Ends the last line. */
  close(): void {
    this.#files.look();
    this.#writer.close();
  }

  #freeBackup(): string {
    for (let atMs = Date.now(); ; atMs++) {
      const path = join(this.#directory, backupName(basename(this.path), atMs));
      if (!existsSync(path) && !existsSync(`${path}.gz`)) return path;
    }
  }

  /** The writer has opened the live file. */
  #opened({ existed }: { existed: boolean }): void {
    this.#files.look();
    this.#part = this.#files.at(this.path);
    this.#appends = this.#kind.append || existed;
    this.#offset = 0;
  }

  /** A writer without O_APPEND goes on behind a hole. */
  #emptied(): void {
    const { before, now } = this.#files.emptied();
    if (this.#part === before) this.#part = now;
  }

  /** What a writer left that died is the last line of its file. */
  #endPart(): void {
    const fragment = this.#fragment;
    this.#fragment = undefined;
    if (fragment === undefined) return;
    const { size } = this.#part;
    this.#model.add(this.#part, size - fragment.length, size, fragment, [fragmentLine(fragment)]);
  }
}

function fragmentLine(bytes: Buffer): NewLine {
  return { bytes, kind: 'fragment', tag: '_unparsed', timeMs: undefined };
}

/** Behind what tells the line from others, and before its end. */
function cutWithin(length: number, within: number): number {
  return UNIQUE_BYTES + Math.floor(within * (length - UNIQUE_BYTES - 1));
}
