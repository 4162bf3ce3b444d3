import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../bench/random.ts';
import { DiskModel, type DiskModelOptions, type Metadata } from '../../torture/power-loss/disk-model.ts';
import { SECTOR_BYTES } from '../../torture/power-loss/file-history.ts';
import type { Operation } from '../../torture/power-loss/operation.ts';
import type { Tree } from '../../torture/power-loss/tree.ts';

const RUNS = 200;

/** A disk with one empty directory, and what is done on it, by paths. */
class Disk {
  readonly model: DiskModel;
  #inodes = new Map<string, bigint>([['/r', 1n]]);
  #next = 2n;

  constructor(metadata: Metadata = 'strict', more: Partial<DiskModelOptions> = {}) {
    const base: Tree = { directories: new Map([['/r', 1n]]), files: new Map() };
    this.model = new DiskModel(base, { metadata, ...more });
  }

  create(path: string): void {
    this.#add('create', path);
  }

  mkdir(path: string): void {
    this.#add('mkdir', path);
  }

  write(path: string, offset: number, data: string | Buffer): void {
    this.#do({ kind: 'write', inode: this.#inode(path), offset, data: Buffer.from(data) });
  }

  truncate(path: string, length: number): void {
    this.#do({ kind: 'truncate', inode: this.#inode(path), offset: length });
  }

  rename(path: string, target: string): void {
    const inode = this.#inode(path);
    this.#do({ kind: 'rename', path, target, inode });
    this.#inodes.delete(path);
    this.#inodes.set(target, inode);
  }

  unlink(path: string): void {
    this.#do({ kind: 'unlink', path, inode: this.#inode(path) });
  }

  beginSync(path: string, thread = 1): void {
    this.#do({ kind: 'sync-begin', inode: this.#inode(path), thread });
  }

  endSync(path: string, thread = 1): void {
    this.#do({ kind: 'sync-end', inode: this.#inode(path), thread });
  }

  sync(path: string): void {
    this.beginSync(path);
    this.endSync(path);
  }

  /** All that was found in so many crashes here, as texts. */
  crashes(survival: 'some' | 'nothing' | 'everything' = 'some'): Set<string> {
    const found = new Set<string>();
    for (let seed = 0; seed < RUNS; seed += 1) found.add(text(this.model.afterCrash(new Random(seed), survival)));
    return found;
  }

  #add(kind: 'create' | 'mkdir', path: string): void {
    this.#inodes.set(path, this.#next);
    this.#do({ kind, path, inode: this.#next });
    this.#next += 1n;
  }

  #inode(path: string): bigint {
    return this.#inodes.get(path)!;
  }

  #do(operation: Partial<Operation> & Pick<Operation, 'kind'>): void {
    this.model.apply({ thread: 1, inode: 0n, offset: 0, path: '', target: '', data: Buffer.alloc(0), ...operation });
  }
}

/** `a=xy b/c=` */
function text(tree: Tree): string {
  const directories = [...tree.directories.keys()].filter((path) => path !== '/r').map((path) => `${path.slice(3)}/`);
  const files = [...tree.files].map(([path, { content }]) => `${path.slice(3)}=${content.toString('latin1')}`);
  return [...directories, ...files].sort().join(' ');
}

const found = (disk: Disk, survival?: 'nothing' | 'everything'): string[] => [...disk.crashes(survival)].sort();

describe('content', () => {
  test('is there for certain only up to the beginning of the last sync that ended', () => {
    const disk = new Disk();
    disk.create('/r/a');
    disk.sync('/r');
    disk.write('/r/a', 0, 'one');
    disk.beginSync('/r/a');
    assert.deepEqual(found(disk), ['a=', 'a=\0\0\0', 'a=one']);
    disk.write('/r/a', 3, 'two');
    disk.endSync('/r/a');
    assert.deepEqual(found(disk, 'nothing'), ['a=one']);
    assert.deepEqual(found(disk, 'everything'), ['a=onetwo']);
    disk.sync('/r/a');
    assert.deepEqual(found(disk), ['a=onetwo']);
  });

  test('of two syncs at once each covers what was before its own beginning', () => {
    const disk = new Disk();
    disk.create('/r/a');
    disk.sync('/r');
    disk.beginSync('/r/a', 1);
    disk.write('/r/a', 0, 'x');
    disk.beginSync('/r/a', 2);
    disk.endSync('/r/a', 1);
    assert.deepEqual(found(disk, 'nothing'), ['a=']);
    disk.endSync('/r/a', 2);
    assert.deepEqual(found(disk, 'nothing'), ['a=x']);
  });

  test('a cut may be lost, and what was written behind it may be there without it', () => {
    const disk = new Disk();
    disk.create('/r/a');
    disk.write('/r/a', 0, 'abcdef');
    disk.sync('/r/a');
    disk.sync('/r');
    disk.truncate('/r/a', 2);
    disk.write('/r/a', 2, 'XY');
    const crashes = found(disk);
    for (const possible of ['a=abcdef', 'a=ab', 'a=abXY']) assert.ok(crashes.includes(possible), possible);
    // The whole sector is as it was after one of the changes, and so is the length.
    for (const one of crashes) assert.match(one, /^a=ab(cdef|cd|XY|\0\0|XY\0\0|\0\0\0\0)?$/);
  });

  test('sectors are torn one by one, in no order', () => {
    const disk = new Disk();
    disk.create('/r/a');
    disk.write('/r/a', 0, Buffer.alloc(4 * SECTOR_BYTES, 'o'));
    disk.sync('/r/a');
    disk.sync('/r');
    disk.write('/r/a', 0, Buffer.alloc(4 * SECTOR_BYTES, 'n'));
    const patterns = new Set<string>();
    for (const one of disk.crashes()) {
      const sectors = Array.from({ length: 4 }, (_, n) => one.slice(2 + n * SECTOR_BYTES, 2 + (n + 1) * SECTOR_BYTES));
      for (const sector of sectors) assert.match(sector, /^(o+|n+)$/);
      patterns.add(sectors.map((sector) => sector[0]).join(''));
    }
    for (const pattern of ['oooo', 'nnnn', 'onon', 'ooon']) assert.ok(patterns.has(pattern), pattern);
  });
});

describe('names', () => {
  test('strict: a new file is there for certain after a sync of its directory alone', () => {
    const disk = new Disk('strict');
    disk.create('/r/a');
    disk.write('/r/a', 0, 'x');
    disk.sync('/r/a');
    assert.deepEqual(found(disk), ['', 'a=x']);
    disk.sync('/r');
    assert.deepEqual(found(disk), ['a=x']);
  });

  test('strict: what is in a directory is lost with it', () => {
    const disk = new Disk('strict');
    disk.mkdir('/r/d');
    disk.create('/r/d/a');
    disk.sync('/r/d');
    assert.deepEqual(found(disk), ['', 'd/ d/a=']);
  });

  test('strict: changes of different names are in no order, those of one name are', () => {
    const disk = new Disk('strict');
    disk.create('/r/a');
    disk.create('/r/b');
    disk.rename('/r/b', '/r/c');
    assert.deepEqual(found(disk), ['', 'a=', 'a= b=', 'a= c=', 'b=', 'c=']);
  });

  test('ordered: a sync of a file that has grown takes all names before it along, one of another does not', () => {
    const disk = new Disk('ordered');
    disk.create('/r/a');
    disk.sync('/r/a');
    assert.deepEqual(found(disk), ['a=']);
    disk.mkdir('/r/d');
    disk.sync('/r/a');
    assert.deepEqual(found(disk), ['a=', 'a= d/']);
    disk.write('/r/a', 0, 'x');
    disk.sync('/r/a');
    assert.deepEqual(found(disk), ['a=x d/']);
  });

  test('ordered: names are as they were at one moment', () => {
    const disk = new Disk('ordered');
    for (const name of ['a', 'b', 'c']) disk.create(`/r/${name}`);
    disk.unlink('/r/a');
    assert.deepEqual(found(disk), ['', 'a=', 'a= b=', 'a= b= c=', 'b= c=']);
  });
});

test('what is always durable needs no sync, and where syncs are ignored nothing is', () => {
  const disk = new Disk('strict', {
    isAlwaysDurable: (path) => path.startsWith('/r/log'),
    ignoresSync: (path) => path === '/r/a',
  });
  disk.mkdir('/r/log');
  disk.create('/r/log/l');
  disk.write('/r/log/l', 0, 'x');
  disk.create('/r/a');
  disk.write('/r/a', 0, 'y');
  disk.sync('/r/a');
  disk.sync('/r');
  assert.deepEqual(found(disk, 'nothing'), ['a= log/ log/l=x']);
});

test("SQLite's shared memory is left out", () => {
  const disk = new Disk();
  disk.create('/r/s.sqlite-shm');
  disk.write('/r/s.sqlite-shm', 0, 'x');
  assert.deepEqual(found(disk, 'everything'), ['']);
});
