import { constants } from 'node:fs';
import path from 'node:path';
import type { Durability } from '../../../config/types.ts';
import { errorCode } from '../../../errors.ts';
import type { FileIo } from '../../file-io.ts';

/** Raw audit events are nobody's but the owner's. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** Ten digits hold every 32-bit number, which is what the headers of segments have room for. */
const SEGMENT_NAME = /^(\d{10})\.spool$/;
const DAMAGED_NAME = /^(\d{10})\.damaged/;
const MAX_NUMBER = 2 ** 32 - 1;

export interface SpoolListing {
  /** Regular files with the name of a segment, by ascending number. */
  readonly segments: readonly { readonly number: number; readonly path: string; readonly size: number }[];
  /** Numbers of segments that were put aside. */
  readonly damaged: ReadonlySet<number>;
  /** The highest number that any name has; 0 when there is none. */
  readonly highest: number;
}

/** The directory of one spool. Files with other names in it are left alone. */
export class SpoolDirectory {
  readonly path: string;
  readonly io: FileIo;
  readonly #durability: Durability;

  constructor(directory: string, io: FileIo, durability: Durability) {
    this.path = directory;
    this.io = io;
    this.#durability = durability;
  }

  /** Makes the directory, with those above it, and both its entry and that of the one above it durable. */
  async create(): Promise<void> {
    const parent = path.dirname(this.path);
    await this.#make(parent);
    await this.#make(this.path);
  }

  async list(): Promise<SpoolListing> {
    const segments: { number: number; path: string; size: number }[] = [];
    const damaged = new Set<number>();
    let highest = 0;
    for (const { name } of await this.io.readdir(this.path)) {
      const number = Number((SEGMENT_NAME.exec(name) ?? DAMAGED_NAME.exec(name))?.[1] ?? Number.NaN);
      if (!(number >= 1 && number <= MAX_NUMBER)) continue;
      highest = Math.max(highest, number);
      if (DAMAGED_NAME.test(name)) {
        damaged.add(number);
        continue;
      }
      const file = this.segmentPath(number);
      const { isFile, size } = await this.io.lstat(file);
      if (isFile) segments.push({ number, path: file, size });
    }
    segments.sort((one, other) => one.number - other.number);
    return { segments, damaged, highest };
  }

  segmentPath(number: number): string {
    return path.join(this.path, `${paddedNumber(number)}.spool`);
  }

  /** Where a damaged segment is kept. */
  damagedPath(number: number): string {
    return path.join(this.path, `${paddedNumber(number)}.damaged`);
  }

  createSegment(number: number): Promise<number> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    return this.io.open(this.segmentPath(number), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
  }

  /** Does `work` with a segment that is opened for reading. */
  async reading<T>(file: string, work: (fd: number) => Promise<T>): Promise<T> {
    return this.#opened(file, constants.O_RDONLY | constants.O_NOFOLLOW, work);
  }

  async truncate(file: string, length: number): Promise<void> {
    await this.#opened(file, constants.O_WRONLY | constants.O_NOFOLLOW, (fd) => this.io.ftruncate(fd, length));
  }

  async syncSegment(file: string): Promise<void> {
    if (this.#durability !== 'disk') return;
    await this.#opened(file, constants.O_WRONLY | constants.O_NOFOLLOW, (fd) => this.io.fdatasync(fd));
  }

  /** A file that is gone already is no error. */
  async remove(file: string): Promise<void> {
    await this.io.unlink(file).catch(ignoreMissing);
  }

  /** Gives a damaged segment the name under which it is kept. A name is never taken from another file. */
  async putAside(number: number): Promise<void> {
    const wanted = this.damagedPath(number);
    let target = wanted;
    for (let copy = 2; await this.#exists(target); copy += 1) target = `${wanted}.${copy}`;
    await this.io.rename(this.segmentPath(number), target).catch(ignoreMissing);
  }

  /** Makes the entries of the directory durable. */
  async sync(directory: string = this.path): Promise<void> {
    if (this.#durability !== 'disk') return;
    await this.#opened(directory, constants.O_RDONLY | constants.O_DIRECTORY, (fd) => this.io.fsync(fd));
  }

  async #make(directory: string): Promise<void> {
    try {
      await this.io.mkdir(directory, DIRECTORY_MODE);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' && path.dirname(directory) !== directory) {
        await this.#make(path.dirname(directory));
        return this.#make(directory);
      }
      // Who made it may have been killed before it was synced.
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    await this.sync(path.dirname(directory));
  }

  async #exists(file: string): Promise<boolean> {
    try {
      await this.io.lstat(file);
      return true;
    } catch (error) {
      ignoreMissing(error);
      return false;
    }
  }

  async #opened<T>(file: string, flags: number, work: (fd: number) => Promise<T>): Promise<T> {
    const fd = await this.io.open(file, flags);
    try {
      return await work(fd);
    } finally {
      await this.io.close(fd);
    }
  }
}

function paddedNumber(number: number): string {
  return String(number).padStart(10, '0');
}

function ignoreMissing(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') throw error;
}
