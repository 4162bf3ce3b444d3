import { constants } from 'node:fs';
import path from 'node:path';
import type { Durability } from '../../config/types.ts';
import { errorCode } from '../../errors.ts';
import type { FileIo } from '../file-io.ts';
import { archiveError } from './archive-error.ts';

/** Creates the directories of output files, and makes changes of their entries durable. */
export class Directories {
  readonly #io: FileIo;
  readonly #mode: number;
  readonly #durability: Durability;
  /** Directories with entries that a power loss could still take away. */
  #unsynced = new Set<string>();

  constructor(io: FileIo, mode: number, durability: Durability) {
    this.#io = io;
    this.#mode = mode;
    this.#durability = durability;
  }

  /** Does `work` on a file, once more after creating its directory if that does not exist. */
  async inExisting<T>(file: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await this.#make(path.dirname(file));
      return work();
    }
  }

  /** An entry was created or removed. */
  changed(entry: string): void {
    if (this.#durability === 'disk') this.#unsynced.add(path.dirname(entry));
  }

  /** Makes all entries durable that were changed before the call. */
  async sync(): Promise<void> {
    const directories = this.#unsynced;
    this.#unsynced = new Set();
    for (const directory of directories) {
      await this.#with(directory, (fd) => this.#io.fsync(fd)).catch((error: unknown) => {
        throw archiveError(directory, error);
      });
    }
  }

  async #make(directory: string): Promise<void> {
    try {
      await this.#io.mkdir(directory, this.#mode);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return;
      if (errorCode(error) !== 'ENOENT' || path.dirname(directory) === directory) throw error;
      await this.#make(path.dirname(directory));
      return this.#make(directory);
    }
    await this.#with(directory, (fd) => this.#io.fchmod(fd, this.#mode));
    this.changed(directory);
  }

  async #with(directory: string, work: (fd: number) => Promise<void>): Promise<void> {
    const fd = await this.#io.open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await work(fd);
    } finally {
      await this.#io.close(fd);
    }
  }
}
