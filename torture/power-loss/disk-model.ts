import { basename, dirname, join } from 'node:path';
import type { Random } from '../../bench/random.ts';
import { FileHistory, type Survival } from './file-history.ts';
import { type NameChange, NameHistory } from './name-history.ts';
import type { Operation } from './operation.ts';
import type { Tree, TreeFile } from './tree.ts';

/**
 * What a sync makes durable besides the content of its file:
 * - `strict`: nothing, as POSIX leaves it; names only by a sync of their directory, in no order.
 * - `ordered`: all changes of names before it, as the journals of ext4 and XFS do when the file is new or changed its length;
 *   and after a crash names are as they were at one moment.
 */
export const METADATA = ['strict', 'ordered'] as const;
export type Metadata = (typeof METADATA)[number];

export interface DiskModelOptions {
  readonly metadata: Metadata;
  /** Files that are on the disk as soon as they are written. */
  readonly isAlwaysDurable?: (path: string) => boolean;
  /** Files whose syncs do nothing: to prove that this would be noticed. */
  readonly ignoresSync?: (path: string) => boolean;
}

/**
 * A disk and the cache in front of it: follows a record of what was done, and gives the trees that a crash at its end may
 * leave. SQLite's shared memory, which is written by mapping it and is made anew after a crash, is left out.
 */
export class DiskModel {
  readonly #options: DiskModelOptions;
  readonly #root: string;
  readonly #names = new NameHistory();
  readonly #files = new Map<bigint, FileHistory>();
  /** Inodes of directories by path, as a program sees them. */
  readonly #directories = new Map<string, bigint>();
  readonly #lasting = new Set<bigint>();
  readonly #unsyncable = new Set<bigint>();
  /** When the sync that a thread is in began. */
  readonly #syncs = new Map<number, number>();
  #sequence = 0;

  /** @param base what is durable at the beginning; its first directory is the root. */
  constructor(base: Tree, options: DiskModelOptions) {
    this.#options = options;
    this.#root = [...base.directories.keys()][0]!;
    for (const [path, inode] of base.directories) {
      this.#directories.set(path, inode);
      this.#names.addDirectory(inode);
    }
    for (const [path, inode] of base.directories) if (path !== this.#root) this.#name(path, inode);
    for (const [path, { inode, content }] of base.files) {
      if (isSharedMemory(path)) continue;
      this.#addFile(path, inode, content);
      this.#files.get(inode)!.isMetadataDirty = false;
      this.#name(path, inode);
    }
    this.#names.settleAll(Number.POSITIVE_INFINITY);
  }

  apply(operation: Operation): void {
    this.#sequence += 1;
    const { kind, inode, path, target, thread } = operation;
    if (isSharedMemory(path) || (path === '' && kind !== 'mark' && !this.#isKnown(inode))) return;
    switch (kind) {
      case 'create':
        this.#addFile(path, inode);
        this.#name(path, inode);
        break;
      case 'write':
        this.#files.get(inode)!.write(this.#sequence, operation.offset, operation.data);
        break;
      case 'truncate':
        this.#files.get(inode)!.truncate(this.#sequence, operation.offset);
        break;
      case 'mkdir':
        this.#directories.set(path, inode);
        this.#names.addDirectory(inode);
        this.#name(path, inode);
        break;
      case 'link':
        this.#name(path, inode);
        break;
      case 'unlink':
        this.#directories.delete(path);
        this.#name(path, undefined);
        break;
      case 'rename':
        if (this.#directories.has(path)) throw new Error(`${path}: the model knows no renaming of directories`);
        this.#change([this.#entry(path, undefined), this.#entry(target, inode)], path);
        break;
      case 'sync-begin':
        this.#syncs.set(thread, this.#sequence);
        break;
      case 'sync-end':
        this.#settle(inode, this.#syncs.get(thread)!);
        break;
      case 'mark':
        break;
    }
    if (this.#lasting.has(inode)) this.#files.get(inode)?.settle(Number.POSITIVE_INFINITY);
  }

  /** As a program sees it. */
  current(): Tree {
    return this.#tree(this.#names.current(), (file) => file.content());
  }

  /** As it may be after a crash here and now. */
  afterCrash(random: Random, survival: Survival): Tree {
    const names = this.#names.afterCrash(random, survival, this.#options.metadata === 'ordered');
    return this.#tree(names, (file) => file.afterCrash(random, survival));
  }

  #isKnown(inode: bigint): boolean {
    return this.#files.has(inode) || this.#names.has(inode);
  }

  #addFile(path: string, inode: bigint, content?: Buffer): void {
    this.#files.set(inode, new FileHistory(content));
    if (this.#options.isAlwaysDurable?.(path) === true) this.#lasting.add(inode);
    if (this.#options.ignoresSync?.(path) === true) this.#unsyncable.add(inode);
  }

  #name(path: string, inode: bigint | undefined): void {
    this.#change([this.#entry(path, inode)], path);
  }

  #change(changes: readonly NameChange[], path: string): void {
    this.#names.change(this.#sequence, changes);
    if (this.#options.isAlwaysDurable?.(path) !== true) return;
    for (const { directory } of changes) this.#names.settle(Number.POSITIVE_INFINITY, directory);
  }

  #entry(path: string, inode: bigint | undefined): NameChange {
    const directory = this.#directories.get(dirname(path));
    if (directory === undefined) throw new Error(`${path} is in no directory that the record knows`);
    return { directory, name: basename(path), inode };
  }

  #settle(inode: bigint, sequence: number): void {
    if (this.#unsyncable.has(inode)) return;
    const file = this.#files.get(inode);
    const writesJournal = file?.isMetadataDirty !== false;
    if (file === undefined) this.#names.settle(sequence, inode);
    else file.settle(sequence);
    if (this.#options.metadata === 'ordered' && writesJournal) this.#names.settleAll(sequence);
  }

  #tree(names: Map<bigint, Map<string, bigint>>, contentOf: (file: FileHistory) => Buffer): Tree {
    const tree: Tree = { directories: new Map(), files: new Map() };
    // One inode has one content, whatever names it has.
    const contents = new Map<bigint, TreeFile>();
    const visit = (path: string, inode: bigint): void => {
      tree.directories.set(path, inode);
      for (const [name, child] of names.get(inode)!) {
        const file = this.#files.get(child);
        if (file === undefined) {
          visit(join(path, name), child);
          continue;
        }
        const found = contents.get(child) ?? { inode: child, content: contentOf(file) };
        contents.set(child, found);
        tree.files.set(join(path, name), found);
      }
    };
    visit(this.#root, this.#directories.get(this.#root)!);
    return tree;
  }
}

function isSharedMemory(path: string): boolean {
  return path.endsWith('-shm');
}
