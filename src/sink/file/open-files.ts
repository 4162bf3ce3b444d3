import { constants } from 'node:fs';
import type { Durability } from '../../config/types.ts';
import { AuditailError, errorCode } from '../../errors.ts';
import { type FileIo, isRecorded } from '../file-io.ts';
import type { Directories } from './directories.ts';
import { Gate } from './gate.ts';
import type { OutputFile, Place } from './output-file.ts';
import { lstatOrNothing, type Registrar } from './registrar.ts';

/** File calls on their way at once; more would only wait for each other in libuv and on the disk. */
const MAX_CONCURRENT = 8;

interface Opened {
  readonly fd: number;
  /** Length of the file when it was opened, at the path that is its place. */
  readonly size: number;
}

interface Handle {
  readonly opened: Promise<Opened>;
  /** Calls on their way, during which it is not closed. */
  pins: number;
  /** Written to since the last sync. */
  unsynced: boolean;
}

/**
 * The descriptors of output files: at most `max`, the one used longest ago is closed first. Creates files, and opens
 * those again that stand in the database; never anything that was not written by this archive, and never through a
 * symlink.
 */
export class OpenFiles {
  readonly #io: FileIo;
  readonly #max: number;
  readonly #mode: number;
  readonly #durability: Durability;
  readonly #registrar: Registrar;
  readonly #directories: Directories;
  readonly #gate: Gate;
  /** In the order of use, oldest first. */
  readonly #handles = new Map<OutputFile, Handle>();
  /** Files that are being synced and closed. */
  readonly #closing = new Map<OutputFile, Promise<void>>();

  constructor(options: {
    io: FileIo;
    max: number;
    mode: number;
    durability: Durability;
    registrar: Registrar;
    directories: Directories;
  }) {
    this.#io = options.io;
    this.#max = Math.max(1, options.max);
    this.#mode = options.mode;
    this.#durability = options.durability;
    this.#registrar = options.registrar;
    this.#directories = options.directories;
    // A file in use cannot be closed, so there are never more of them than descriptors.
    this.#gate = new Gate(Math.min(this.#max, MAX_CONCURRENT));
  }

  get size(): number {
    return this.#handles.size;
  }

  /**
   * Calls `work` with a descriptor of the file, which is created or opened if need be. Throws `ARCHIVE_CHANGED` when
   * the path leads elsewhere by now, or when the file does not have the length that was written: after somebody cut
   * it, the next write would leave a hole.
   */
  write(file: OutputFile, work: (fd: number) => Promise<void>): Promise<void> {
    return this.#gate.run(() =>
      this.#use(file, async (fd, handle, openedSize) => {
        const bytes = openedSize ?? (await this.#verify(file.place!));
        if (bytes !== file.queue.diskBytes) throw changed(file.place!, 'its length is not what was written');
        handle.unsynced = true;
        await work(fd);
      }),
    );
  }

  /**
   * Makes what was written durable, and then makes sure that at least `bytes` of it are still where the path leads.
   * Throws `ARCHIVE_CHANGED` when they are not. It goes before writes: with more files than descriptors, each would
   * else be closed and opened once more in between.
   */
  settle(file: OutputFile, bytes: number): Promise<void> {
    const settled = () =>
      this.#use(file, async (fd, handle) => {
        await this.#sync(fd, handle);
        if ((await this.#verify(file.place!)) < bytes) throw changed(file.place!, 'it became shorter');
      });
    return this.#gate.run(settled, { urgent: true });
  }

  /** Closes the descriptors of files that are not in use. */
  async close(files: Iterable<OutputFile>): Promise<void> {
    for (const file of [...files]) {
      const handle = this.#handles.get(file);
      if (handle !== undefined && handle.pins === 0) await this.#close(file, handle);
    }
  }

  /** Starts nothing any more, waits for what is on its way, and closes all without syncing. */
  async abort(timeoutMs: number): Promise<void> {
    await this.#gate.shut(timeoutMs);
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    for (const handle of handles) {
      const opened = await handle.opened.catch(() => undefined);
      // Whatever a close reports concerns content that is cut off or was synced.
      if (opened !== undefined) await this.#io.close(opened.fd).catch(() => undefined);
    }
  }

  /** Gives the length of the file that is open, if its path leads to it. */
  async #verify(place: Place): Promise<number> {
    const named = await lstatOrNothing(this.#io, place.path);
    if (named === undefined) throw changed(place, 'it was removed');
    if (named.device !== place.device || named.inode !== place.inode) throw changed(place, 'it was exchanged');
    return named.size;
  }

  /** @param work gets the file's length where it was opened for it: then its path was looked at just now. */
  async #use(
    file: OutputFile,
    work: (fd: number, handle: Handle, openedSize: number | undefined) => Promise<void>,
  ): Promise<void> {
    let handle = this.#handles.get(file);
    const isOpen = handle !== undefined;
    this.#handles.delete(file);
    if (handle === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<Opened>();
      handle = { opened: promise, pins: 0, unsynced: false };
      promise.catch(() => undefined);
      this.#evict(this.#max - 1)
        // A commit that finds it open again has nothing to sync: what was written before is durable only after this.
        .then(() => this.#closing.get(file))
        .then(() => this.#open(file))
        .then(resolve, reject);
    }
    this.#handles.set(file, handle);
    handle.pins += 1;
    try {
      const { fd, size } = await handle.opened;
      await work(fd, handle, isOpen ? undefined : size);
    } finally {
      handle.pins -= 1;
    }
  }

  async #evict(keep: number): Promise<void> {
    const closing: Promise<void>[] = [];
    for (const [file, handle] of this.#handles) {
      if (this.#handles.size <= keep) break;
      if (handle.pins === 0) closing.push(this.#close(file, handle));
    }
    await Promise.all(closing);
  }

  async #close(file: OutputFile, handle: Handle): Promise<void> {
    this.#handles.delete(file);
    const closed = this.#syncAndClose(handle);
    this.#closing.set(file, closed);
    try {
      await closed;
    } finally {
      this.#closing.delete(file);
    }
  }

  async #syncAndClose(handle: Handle): Promise<void> {
    const { fd } = await handle.opened;
    try {
      // Without this an error of the write-back could be told to nobody.
      await this.#sync(fd, handle);
    } finally {
      await this.#io.close(fd);
    }
  }

  async #sync(fd: number, handle: Handle): Promise<void> {
    if (this.#durability !== 'disk' || !handle.unsynced) return;
    // Before the call: what is written while it runs may or may not be part of it.
    handle.unsynced = false;
    await this.#io.fdatasync(fd);
  }

  async #open(file: OutputFile): Promise<Opened> {
    await this.#registrar.place(file);
    while (file.place!.inode === undefined) {
      const opened = await this.#create(file.place!);
      if (opened !== undefined) return opened;
      await this.#registrar.displace(file);
    }
    return this.#reopen(file);
  }

  /** Undefined when something else took the path in the meantime. */
  async #create(place: Place): Promise<Opened | undefined> {
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_WRONLY;
    let fd: number;
    try {
      fd = await this.#directories.inExisting(place.path, () => this.#io.open(place.path, flags, this.#mode));
    } catch (error) {
      if (['EEXIST', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined;
      throw error;
    }
    try {
      const stat = await this.#io.fstat(fd);
      // The umask may have taken bits away that the configuration asks for.
      if (stat.mode !== this.#mode) await this.#io.fchmod(fd, this.#mode);
      place.device = stat.device;
      place.inode = stat.inode;
      this.#directories.changed(place.path);
      return { fd, size: stat.size };
    } catch (error) {
      await this.#io.close(fd).catch(() => undefined);
      throw error;
    }
  }

  async #reopen(file: OutputFile): Promise<Opened> {
    const place = file.place!;
    let fd: number;
    try {
      fd = await this.#io.open(place.path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const code = errorCode(error) ?? '';
      if (code === 'ENOENT') throw changed(place, 'it was removed');
      if (['ELOOP', 'ENXIO', 'EISDIR'].includes(code)) throw changed(place, 'it was exchanged');
      throw error;
    }
    try {
      const stat = await this.#io.fstat(fd);
      if (!isRecorded(stat, place)) throw changed(place, 'it was exchanged');
      place.device = stat.device;
      return { fd, size: stat.size };
    } catch (error) {
      await this.#io.close(fd).catch(() => undefined);
      throw error;
    }
  }
}

function changed(place: Place, reason: string): AuditailError {
  return new AuditailError('ARCHIVE_CHANGED', `the archive file ${place.path} is not what was written: ${reason}`);
}
