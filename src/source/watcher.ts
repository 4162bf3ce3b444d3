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

  constructor(hint: (hint: Hint) => void, failed: (error: unknown) => void) {
    this.#watcher = watch([], {
      ignoreInitial: true,
      depth: 0,
      atomic: false,
      // Rotated parts do not change; each would cost a watch of the few that a host has.
      ignored: (file) => !this.#watched.has(file) && parseRotatedName(path.basename(file)) !== undefined,
    });
    this.#watcher.on('change', () => hint('content'));
    for (const event of ['add', 'unlink', 'addDir', 'unlinkDir'] as const) this.#watcher.on(event, () => hint('names'));
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

  async close(): Promise<void> {
    await this.#watcher.close();
  }
}
