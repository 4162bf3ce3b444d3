import path from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { parseRotatedName } from './rotated-name.ts';

/** What changed: `content` asks for a look at the ends of open files, `names` for a sweep. */
export type Hint = 'content' | 'names';

/**
 * Watches directories for hints. A hint only makes the agent look sooner: what it then does follows from what it
 * finds, and without any hint the sweep finds the same.
 */
export class DirectoryWatcher {
  readonly #watcher: FSWatcher;
  readonly #watched = new Set<string>();
  /** By path: a rename and a new file in its place come as one change, since both are over when chokidar looks. */
  readonly #inodes = new Map<string, number>();

  constructor(hint: (hint: Hint) => void, failed: (error: unknown) => void) {
    this.#watcher = watch([], {
      ignoreInitial: false,
      alwaysStat: true,
      depth: 0,
      atomic: false,
      // Rotated parts do not change; each would cost a watch of the few that a host has.
      ignored: (file) => !this.#watched.has(file) && parseRotatedName(path.basename(file)) !== undefined,
    });
    this.#watcher.on('change', (file, stats) => hint(this.#isOther(file, stats?.ino) ? 'names' : 'content'));
    this.#watcher.on('add', (file, stats) => {
      this.#isOther(file, stats?.ino);
      hint('names');
    });
    this.#watcher.on('unlink', (file) => {
      this.#inodes.delete(file);
      hint('names');
    });
    for (const event of ['addDir', 'unlinkDir'] as const) this.#watcher.on(event, () => hint('names'));
    this.#watcher.on('error', failed);
  }

  /** Watches these directories from now on, besides those that are watched already. */
  watch(directories: Iterable<string>): void {
    for (const directory of directories) {
      if (this.#watched.has(directory)) continue;
      this.#watched.add(directory);
      this.#watcher.add(directory);
    }
  }

  /** Whether the path has another file than at the last look; remembers the one that it has. */
  #isOther(file: string, inode: number | undefined): boolean {
    if (inode === undefined || this.#inodes.get(file) === inode) return false;
    this.#inodes.set(file, inode);
    return true;
  }

  async close(): Promise<void> {
    await this.#watcher.close();
  }
}
