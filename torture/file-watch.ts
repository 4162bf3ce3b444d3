import { existsSync, lstatSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { LogModel, Part } from './log-model.ts';

/** Which files of a log are there, whatever made and moved them, and the parts of the model that they are. */
export class FileWatch {
  /** Gzipped parts that are not whole: nobody looks into them. */
  readonly unfinished = new Set<string>();
  readonly #model: LogModel;
  readonly #live: string;
  /** Of the log, and where a symlink leads to. */
  readonly #directories: readonly string[];
  /** By device, inode and birth. */
  readonly #files = new Map<string, Part>();

  constructor(live: string, elsewhere: string, model: LogModel) {
    this.#live = live;
    this.#directories = [dirname(live), elsewhere];
    this.#model = model;
  }

  parts(): Iterable<Part> {
    return this.#files.values();
  }

  /** Finds out what is new, what has another name, and what is gone. */
  look(): void {
    const present = new Set<string>();
    for (const { path, stats } of filesIn(this.#directories)) {
      const key = keyOf(stats);
      present.add(key);
      if (this.unfinished.has(path)) continue;
      const known = this.#files.get(key);
      if (known === undefined) this.#add(key, path, stats.size);
      else known.paths.add(path);
    }
    for (const [key, part] of this.#files) {
      if (present.has(key)) continue;
      this.#files.delete(key);
      this.#model.lose(part, 'deleted');
    }
  }

  /** @throws Error for a file that was not there when somebody looked. */
  at(path: string): Part {
    const part = this.#files.get(keyOf(statSync(path)));
    if (part === undefined) throw new Error(`${path} is a file that nobody looked at`);
    return part;
  }

  /** Whether a path leads to this part's file. */
  isAt(path: string, part: Part): boolean {
    return existsSync(path) && keyOf(statSync(path)) === part.key;
  }

  /** The live file was emptied in place: what it was is lost, and it is something else now. */
  emptied(): { before: Part; now: Part } {
    const before = this.at(this.#live);
    this.#model.lose(before, 'truncated');
    const now = this.#model.newPart(before.key, this.#live);
    this.#files.set(before.key, now);
    return { before, now };
  }

  #add(key: string, path: string, size: number): void {
    const part = this.#model.newPart(key, path);
    if (dirname(path) !== dirname(this.#live)) part.paths.add(this.#live);
    part.size = size;
    this.#files.set(key, part);
    this.#model.addCopy(part, contentOf(path));
  }
}

/** The birth tells a file from one before it that had the same inode. */
function keyOf(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
}

function* filesIn(directories: readonly string[]): Generator<{ path: string; stats: Stats }> {
  for (const directory of directories) {
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const stats = lstatSync(path);
      if (stats.isFile()) yield { path, stats };
    }
  }
}

function contentOf(path: string): Buffer {
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}
