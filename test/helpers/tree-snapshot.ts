import fs from 'node:fs';
import path from 'node:path';

/** The files of some directories as they are now, to go back to. */
export class TreeSnapshot {
  readonly #roots: readonly string[];
  readonly #files = new Map<string, Buffer>();

  constructor(roots: readonly string[]) {
    this.#roots = roots;
    for (const file of filesIn(roots)) this.#files.set(file, fs.readFileSync(file));
  }

  content(file: string): Buffer {
    return this.#files.get(file) ?? Buffer.alloc(0);
  }

  /**
   * Removes what was not there and writes what was. Files that are still there keep their inodes.
   *
   * @returns whether all were still there
   */
  restore(): boolean {
    for (const file of filesIn(this.#roots)) if (!this.#files.has(file)) fs.rmSync(file);
    let isWhole = true;
    for (const [file, content] of this.#files) {
      isWhole &&= fs.existsSync(file);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
    }
    return isWhole;
  }
}

function filesIn(roots: readonly string[]): string[] {
  return roots
    .filter((root) => fs.existsSync(root))
    .flatMap((root) => fs.readdirSync(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}
