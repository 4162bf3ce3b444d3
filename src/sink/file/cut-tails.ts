import { constants } from 'node:fs';
import path from 'node:path';
import { AuditailError } from '../../errors.ts';
import { type FileIo, readAt, writeAll } from '../file-io.ts';
import { lstatOrNothing } from './registrar.ts';

const COPY_BYTES = 1024 * 1024;
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;
const NAME = /^\d+-\d+(\.\d+)?\.tail(\.part)?$/;

/**
 * Copies of what a start cut off archive files. They should only hold lines that are read again; until those have been
 * archived the copies stay, for the case that the log has vanished meanwhile.
 */
export class CutTails {
  readonly #io: FileIo;
  readonly #directory: string;

  constructor(io: FileIo, directory: string) {
    this.#io = io;
    this.#directory = directory;
  }

  /**
   * Copies `fd` from `start` to `end`, durably, to `<id>-<start>.tail`, and gives the path of the copy. Throws `CUT_TAIL`,
   * leaving nothing behind.
   */
  async keep(id: number, fd: number, start: number, end: number): Promise<string> {
    const part = path.join(this.#directory, `${id}-${start}.tail.part`);
    try {
      await this.#make(this.#directory);
      await this.#copy(part, fd, start, end);
      const kept = await this.#freeName(id, start);
      await this.#io.rename(part, kept);
      // Those above may be as new, and what is cut off next has no other place.
      const above = path.dirname(this.#directory);
      for (const one of [this.#directory, above, path.dirname(above)]) await this.#syncDirectory(one);
      return kept;
    } catch (cause) {
      // Half a copy is of no use, and on a full disk it would take the space that everything else waits for.
      await this.#io.unlink(part).catch(() => undefined);
      throw new AuditailError('CUT_TAIL', `cannot copy what a crash left in an archive file to ${this.#directory}`, {
        cause,
        hint: 'The archive file is untouched: make it possible to write there, and start again',
      });
    }
  }

  async #copy(part: string, fd: number, start: number, end: number): Promise<void> {
    const { O_CREAT, O_TRUNC, O_NOFOLLOW, O_WRONLY } = constants;
    const copy = await this.#io.open(part, O_CREAT | O_TRUNC | O_NOFOLLOW | O_WRONLY, FILE_MODE);
    try {
      for (let at = start; at < end; ) {
        const chunk = await readAt(this.#io, fd, Math.min(COPY_BYTES, end - at), at);
        if (chunk.length === 0) break;
        await writeAll(this.#io, copy, chunk, at - start);
        at += chunk.length;
      }
      await this.#io.fsync(copy);
    } finally {
      await this.#io.close(copy);
    }
  }

  /** Deletes the copies. */
  async drop(): Promise<void> {
    if ((await lstatOrNothing(this.#io, this.#directory)) === undefined) return;
    for (const { name } of await this.#io.readdir(this.#directory)) {
      if (NAME.test(name)) await this.#io.unlink(path.join(this.#directory, name));
    }
  }

  /** Takes the copies out of what {@link drop} deletes: they may hold the only copy of lines that the log has lost. */
  async retain(): Promise<void> {
    if ((await lstatOrNothing(this.#io, this.#directory)) === undefined) return;
    for (const { name } of await this.#io.readdir(this.#directory)) {
      const file = path.join(this.#directory, name);
      if (NAME.test(name)) await this.#io.rename(file, `${file}.kept`);
    }
    // Under the old name the next start's replay would delete them.
    await this.#syncDirectory(this.#directory);
  }

  /** An earlier copy of the same tail may hold more than this one, so it stays. */
  async #freeName(id: number, start: number): Promise<string> {
    for (let n = 0; ; n += 1) {
      const name = path.join(this.#directory, `${id}-${start}${n === 0 ? '' : `.${n}`}.tail`);
      const taken = (await lstatOrNothing(this.#io, name)) ?? (await lstatOrNothing(this.#io, `${name}.kept`));
      if (taken === undefined) return name;
    }
  }

  async #make(directory: string): Promise<void> {
    if ((await lstatOrNothing(this.#io, directory)) !== undefined) return;
    await this.#io.mkdir(directory, DIR_MODE);
  }

  async #syncDirectory(directory: string): Promise<void> {
    const fd = await this.#io.open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await this.#io.fsync(fd);
    } finally {
      await this.#io.close(fd);
    }
  }
}
