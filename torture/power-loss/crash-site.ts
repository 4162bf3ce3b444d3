import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { readTree, type Tree } from './tree.ts';

/**
 * The directory in which an agent is recorded, and in which it finds later what a crash left: its state has absolute paths
 * and inode numbers, so files are put back where they were, as the inodes that they were.
 */
export class CrashSite {
  /** Everything that the agent and the writer of the log touch. */
  readonly root: string;
  /** Every inode that was ever below the root, by its number. */
  readonly inodes: string;

  /** Creates it, or finds it again. */
  constructor(directory: string) {
    this.root = join(directory, 'root');
    this.inodes = join(directory, 'inodes');
    mkdirSync(this.root, { recursive: true });
    mkdirSync(this.inodes, { recursive: true });
  }

  /** Keeps the inodes that are below the root now. */
  keepInodes(): Tree {
    const tree = readTree(this.root);
    for (const [path, { inode }] of tree.files) {
      const kept = join(this.inodes, String(inode));
      if (!existsSync(kept)) linkSync(path, kept);
    }
    return tree;
  }

  /** Makes the root what the tree is. */
  place(tree: Tree): void {
    for (const name of readdirSync(this.root)) rmSync(join(this.root, name), { recursive: true });
    for (const path of tree.directories.keys()) if (path !== this.root) mkdirSync(path, { mode: 0o700 });
    const done = new Set<bigint>();
    for (const [path, { inode, content }] of tree.files) {
      const kept = join(this.inodes, String(inode));
      if (!done.has(inode)) overwrite(kept, content);
      done.add(inode);
      linkSync(kept, path);
    }
  }
}

function overwrite(path: string, content: Buffer): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, 0);
    for (let done = 0; done < content.length; ) done += writeSync(fd, content, done);
  } finally {
    closeSync(fd);
  }
}
