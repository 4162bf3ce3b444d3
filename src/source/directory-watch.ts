import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../errors.ts';
import { parseRotatedName } from './rotated-name.ts';

/** What changed: `content` asks for a look at the ends of open files, `names` for a sweep. */
export type Hint = 'content' | 'names';

/** A directory as it was when somebody looked at it. */
export interface SeenDirectory {
  readonly path: string;
  /** Device and inode. Another directory at the same path is another one. */
  readonly identity: string;
  /** Time of the last change of its names, nanoseconds. */
  readonly changed: bigint;
}

/** Looks at a directory. @throws the file system's error. */
export async function seeDirectory(directory: string): Promise<SeenDirectory> {
  const { dev, ino, mtimeNs } = await stat(directory, { bigint: true });
  return { path: directory, identity: `${dev}:${ino}`, changed: mtimeNs };
}

/** Whether that error says that there is no such directory. */
export function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');
}

export interface DirectoryWatchDeps {
  /** Called for each event, also many times in a row. */
  readonly hint: (hint: Hint) => void;
  /** The watch ended by itself: its directory went, or it failed. */
  readonly ended: (error?: unknown) => void;
}

/**
 * A watch of one directory. The kernel wakes the loop for each write to a log, which is thousands of times a second under
 * load, so whoever will look anyway lets it rest until then.
 */
export class DirectoryWatch {
  readonly identity: string;
  readonly #path: string;
  readonly #deps: DirectoryWatchDeps;
  #watcher: FSWatcher | undefined;
  #changed: bigint;
  #closed = false;

  /** Watches from now on. @throws the error of the watch, such as ENOSPC for too many. */
  constructor(directory: SeenDirectory, deps: DirectoryWatchDeps) {
    this.identity = directory.identity;
    this.#path = directory.path;
    this.#changed = directory.changed;
    this.#deps = deps;
    this.#begin();
  }

  /** Whether no hint comes any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Gives no hints until `resume`. */
  rest(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /**
   * Gives hints again. What was written meanwhile gives none: the caller looks after this. What was created, renamed or
   * deleted does.
   */
  async resume(): Promise<void> {
    if (this.#closed || this.#watcher !== undefined) return;
    try {
      this.#begin();
      const { identity, changed } = await seeDirectory(this.#path);
      if (this.#closed) return;
      if (identity !== this.identity) this.#end();
      else if (changed !== this.#changed) this.#deps.hint('names');
      this.#changed = changed;
    } catch (error) {
      this.#end(isAbsent(error) ? undefined : error);
    }
  }

  close(): void {
    this.#closed = true;
    this.rest();
  }

  #begin(): void {
    const itself = path.basename(this.#path);
    this.#watcher = watch(this.#path, (event, name) => {
      // The watch ends with its directory, which another one may follow that has the same inode.
      if (event === 'rename' && name === itself) this.#end();
      // Rotated parts do not change; when one comes or goes, so does the live file.
      else if (name === null || parseRotatedName(name) === undefined)
        this.#deps.hint(event === 'change' ? 'content' : 'names');
    });
    this.#watcher.on('error', (error) => this.#end(error));
  }

  #end(error?: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#deps.ended(error);
  }
}
