import type { ArchiveRecords, NewArchive } from '../../checkpoint/archive-records.ts';
import type { FileSinkConfig } from '../../config/types.ts';
import { AuditailError, errorCode } from '../../errors.ts';
import { archiveChanged, archivePathTaken, archiveReopened } from '../../telemetry/archive-occurrences.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { type FileIo, type FileStat, isRecorded } from '../file-io.ts';
import { rewoundError } from './archive-error.ts';
import type { OutputFile } from './output-file.ts';

/** Where so many siblings of one path exist, something is wrong that another sibling does not help. */
const MAX_SIBLINGS = 10_000;

interface Waiting {
  readonly file: OutputFile;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Tells the database which files are about to be written, before they are: a file that no record knows of, or one
 * that the database believes finished, would not be cut after a crash and would hold lines twice.
 *
 * All files that ask within one turn of the event loop share one transaction, since each costs a sync.
 */
export class Registrar {
  readonly #config: FileSinkConfig;
  readonly #records: ArchiveRecords;
  readonly #io: FileIo;
  readonly #telemetry: Telemetry;
  readonly #now: () => number;
  readonly #sibling: (path: string, n: number) => string;
  #waiting: Waiting[] = [];
  #stopped = false;
  readonly #placing = new Map<OutputFile, Promise<void>>();
  /** Paths that are chosen but not yet in the database. */
  readonly #claimed = new Set<string>();

  constructor(options: {
    config: FileSinkConfig;
    records: ArchiveRecords;
    io: FileIo;
    telemetry: Telemetry;
    now: () => number;
    sibling: (path: string, n: number) => string;
  }) {
    this.#config = options.config;
    this.#records = options.records;
    this.#io = options.io;
    this.#telemetry = options.telemetry;
    this.#now = options.now;
    this.#sibling = options.sibling;
  }

  /** Gives the file a place that is durably registered, if it has none. */
  place(file: OutputFile): Promise<void> {
    if (file.place !== undefined) return Promise.resolve();
    let placing = this.#placing.get(file);
    if (placing === undefined) {
      placing = new Promise<void>((resolve, reject) => {
        this.#waiting.push({ file, resolve, reject });
        if (this.#waiting.length === 1) setImmediate(() => void this.#registerAll());
      }).finally(() => this.#placing.delete(file));
      this.#placing.set(file, placing);
    }
    return placing;
  }

  /** From here on nothing is written to the database: a rewind is about to read it. */
  stop(): void {
    this.#stopped = true;
  }

  /** Something else took the file's path before it was created: the file gets the next one. */
  async displace(file: OutputFile): Promise<void> {
    if (file.place !== undefined) this.#records.remove([file.place.id]);
    file.place = undefined;
    await this.place(file);
  }

  async #registerAll(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    const claims: string[] = [];
    try {
      const created: { file: OutputFile; path: string }[] = [];
      const reopened: OutputFile[] = [];
      // Not one after the other: a thousand look-ups would hold up the writing of all.
      const look = async ({ file }: { file: OutputFile }): Promise<string | undefined> => {
        if (await this.#isUnchanged(file)) return undefined;
        const path = await this.#freePath(file.wantedPath);
        claims.push(path);
        return path;
      };
      const looks = await Promise.allSettled(batch.map(look));
      for (const [index, one] of looks.entries()) {
        if (one.status === 'rejected') throw one.reason;
        const { file } = batch[index]!;
        if (one.value === undefined) reopened.push(file);
        else created.push({ file, path: one.value });
      }
      this.#assertRunning();
      const ids = this.#records.register(
        created.map(({ file, path }) => this.#newArchive(file, path)),
        reopened.map((file) => file.record!.id),
      );
      for (const [index, { file, path }] of created.entries()) {
        file.place = { id: ids[index]!, path, device: undefined, inode: undefined };
      }
      for (const file of reopened) {
        const { id, path, device, inode } = file.record!;
        file.place = { id, path, device, inode };
        archiveReopened(this.#telemetry, this.#config.name, path);
      }
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      for (const path of claims) this.#claimed.delete(path);
    }
  }

  /**
   * Whether the file has a finished predecessor on disk that can be continued. One that was changed is given up, and
   * the file starts from nothing.
   */
  async #isUnchanged(file: OutputFile): Promise<boolean> {
    const { record } = file;
    if (record === undefined) return false;
    const stat = await lstatOrNothing(this.#io, record.path);
    const reason = difference(stat, { ...record, size: file.queue.diskBytes });
    if (reason === undefined) return true;
    this.#assertRunning();
    this.#records.abandon([record.id]);
    archiveChanged(this.#telemetry, this.#config.name, record.path, reason);
    file.record = undefined;
    return false;
  }

  #assertRunning(): void {
    if (this.#stopped) throw rewoundError();
  }

  async #freePath(wanted: string): Promise<string> {
    let taken: string | undefined;
    for (let n = 0; n <= MAX_SIBLINGS; n += 1) {
      const path = n === 0 ? wanted : this.#sibling(wanted, n);
      if (this.#claimed.has(path) || this.#records.hasPath(path)) continue;
      this.#claimed.add(path);
      if ((await lstatOrNothing(this.#io, path)) === undefined) {
        if (taken !== undefined) archivePathTaken(this.#telemetry, this.#config.name, taken, path);
        return path;
      }
      this.#claimed.delete(path);
      taken ??= path;
    }
    throw new AuditailError('ARCHIVE_PATHS', `${wanted} and ${MAX_SIBLINGS} numbered siblings of it exist already`, {
      hint: 'Move them away; the archive never writes to files that it did not create',
    });
  }

  #newArchive(file: OutputFile, path: string): NewArchive {
    return {
      sink: this.#config.name,
      path,
      wantedPath: file.wantedPath,
      slot: file.slot,
      tag: file.tag,
      compress: this.#config.compress,
      createdAt: this.#now(),
    };
  }
}

/** Undefined when nothing is there, not even a dangling symlink. */
export async function lstatOrNothing(io: FileIo, path: string): Promise<FileStat | undefined> {
  try {
    return await io.lstat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** In words, why what stands at a path is not the file that was written; undefined when it is. */
function difference(
  stat: FileStat | undefined,
  written: { inode: bigint | undefined; size: number },
): string | undefined {
  if (stat === undefined) return 'it was removed';
  if (!isRecorded(stat, written)) return 'it was exchanged';
  if (stat.size !== written.size) return 'its length is not what was written';
  return undefined;
}
