import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A file of a tree. One inode may stand at two paths. */
export interface TreeFile {
  readonly inode: bigint;
  readonly content: Buffer;
}

/** What is below a directory: everything by its absolute path, the directory itself included. */
export interface Tree {
  /** Their inodes. Parents come before what is in them. */
  readonly directories: Map<string, bigint>;
  readonly files: Map<string, TreeFile>;
}

/** Reads what is below a directory. There must be nothing but directories and files. */
export function readTree(root: string): Tree {
  const tree: Tree = { directories: new Map(), files: new Map() };
  const visit = (directory: string): void => {
    tree.directories.set(directory, statSync(directory, { bigint: true }).ino);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (!entry.isFile()) throw new Error(`${path} is neither a file nor a directory`);
      else tree.files.set(path, { inode: statSync(path, { bigint: true }).ino, content: readFileSync(path) });
    }
  };
  visit(root);
  return tree;
}
