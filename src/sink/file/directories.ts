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
  /** Directories above a changed one, which may be as new: who made them may have been killed before they were synced. */
  #above = new Set<string>();
  /** Directories whose own entries were synced, or are in the sets above. */
  readonly #known = new Set<string>();

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
    if (this.#durability !== 'disk') return;
    let directory = path.dirname(entry);
    this.#unsynced.add(directory);
    while (!this.#known.has(directory)) {
      this.#known.add(directory);
      directory = path.dirname(directory);
      this.#above.add(directory);
    }
  }

  /** Makes all entries durable that were changed before the call. */
  async sync(): Promise<void> {
    const [changed, above] = [this.#unsynced, this.#above];
    this.#unsynced = new Set();
    this.#above = new Set();
    for (const directory of changed) await this.#sync(directory, []);
    for (const directory of above) {
      // One that may not be read was not made by this user.
      if (!changed.has(directory)) await this.#sync(directory, ['EACCES', 'EPERM']);
    }
  }

  async #sync(directory: string, ignored: readonly string[]): Promise<void> {
    try {
      await this.#with(directory, (fd) => this.#io.fsync(fd));
    } catch (error) {
      if (!ignored.includes(errorCode(error) ?? '')) throw archiveError(directory, error);
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
