import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../errors.ts';
import { parseRotatedName } from './rotated-name.ts';
import { Throttle } from './throttle.ts';

/** What changed: `content` asks for a look at the ends of open files, `names` for a sweep. */
export type Hint = 'content' | 'names';

/**
 * The shortest time between two hints of one kind. An apiserver under load writes thousands of lines a second, one call
 * each: read together, they cost a quarter less CPU at 5 MB/s than each as it comes.
 */
const HINT_INTERVAL_MS = 100;

interface Watch {
  readonly watcher: FSWatcher;
  /** Device and inode of the directory, which may be another one at the same path by now. */
  readonly identity: string;
}

/**
 * Watches directories for hints. A hint only makes the agent look sooner: what it then does follows from what it
 * finds, and without any hint the sweep finds the same.
 */
export class DirectoryWatcher {
  readonly #failed: (error: unknown) => void;
  readonly #throttles: Readonly<Record<Hint, Throttle>>;
  #watches = new Map<string, Watch>();
  #closed = false;

  constructor(hint: (hint: Hint) => void, failed: (error: unknown) => void) {
    this.#failed = failed;
    this.#throttles = {
      content: new Throttle(() => hint('content'), HINT_INTERVAL_MS),
      names: new Throttle(() => hint('names'), HINT_INTERVAL_MS),
    };
  }

  /**
   * Watches these directories from now on, and no others. In the place of one that is not there, the nearest directory
   * above it is watched, whose hint comes when that changes. To be called with each sweep, one call at a time.
   */
  async watch(directories: Iterable<string>): Promise<void> {
    const wanted = new Map<string, Watch>();
    for (const directory of new Set(directories)) {
      try {
        const [there, identity] = await nearest(directory);
        if (this.#closed) return;
        if (!wanted.has(there)) wanted.set(there, this.#kept(there, identity) ?? this.#begin(there, identity));
      } catch (error) {
        this.#failed(error);
      }
    }
    for (const [directory, one] of this.#watches) if (wanted.get(directory) !== one) one.watcher.close();
    this.#watches = wanted;
  }

  close(): void {
    this.#closed = true;
    for (const throttle of Object.values(this.#throttles)) throttle.stop();
    for (const { watcher } of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }

  #kept(directory: string, identity: string): Watch | undefined {
    const before = this.#watches.get(directory);
    return before?.identity === identity ? before : undefined;
  }

  #begin(directory: string, identity: string): Watch {
    const itself = path.basename(directory);
    const watcher = watch(directory, (event, name) => {
      // The watch ends with its directory, which another one may follow that has the same inode.
      if (event === 'rename' && name === itself) this.#forget(directory, watcher);
      const throttle = this.#throttles[event === 'change' ? 'content' : 'names'];
      // Rotated parts do not change; when one comes or goes, so does the live file.
      if (!throttle.isAsked && (name === null || parseRotatedName(name) === undefined)) throttle.ask();
    });
    watcher.on('error', (error) => {
      this.#forget(directory, watcher);
      this.#failed(error);
    });
    // What came before the watch had begun would wait for the next sweep.
    this.#throttles.names.ask();
    return { watcher, identity };
  }

  /** The next look begins a new watch. */
  #forget(directory: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watches.get(directory)?.watcher === watcher) this.#watches.delete(directory);
  }
}

/** The directory, or the nearest one above it that is there; with its device and inode. */
async function nearest(directory: string): Promise<[string, string]> {
  try {
    const { dev, ino } = await stat(directory, { bigint: true });
    return [directory, `${dev}:${ino}`];
  } catch (error) {
    const parent = path.dirname(directory);
    if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '') || parent === directory) throw error;
    return nearest(parent);
  }
}
