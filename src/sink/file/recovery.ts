import { constants } from 'node:fs';
import type { ArchiveRecord, ArchiveRecords } from '../../checkpoint/archive-records.ts';
import { AuditailError } from '../../errors.ts';
import { archiveChanged, archiveDiscarded, archiveTailCut } from '../../telemetry/archive-occurrences.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { type FileIo, type FileStat, readAt, writeAll } from '../file-io.ts';
import { archiveError } from './archive-error.ts';
import type { CutTails } from './cut-tails.ts';
import type { Directories } from './directories.ts';
import { committedEnding, type Finding } from './inspection.ts';

/**
 * Brings the open files of the database to their last commit. Every step may be repeated: when one fails, or the
 * process dies in between, the next recovery does the rest.
 */
export class Recovery {
  readonly #sink: string;
  readonly #records: ArchiveRecords;
  readonly #io: FileIo;
  readonly #telemetry: Telemetry;
  readonly #directories: Directories;
  /** Undefined where what is cut off is certain to be read again. */
  readonly #tails: CutTails | undefined;

  constructor(options: {
    sink: string;
    records: ArchiveRecords;
    io: FileIo;
    telemetry: Telemetry;
    directories: Directories;
    tails: CutTails | undefined;
  }) {
    this.#sink = options.sink;
    this.#records = options.records;
    this.#io = options.io;
    this.#telemetry = options.telemetry;
    this.#directories = options.directories;
    this.#tails = options.tails;
  }

  /** Gives the records of the files that can be continued. */
  async apply(findings: readonly Finding[]): Promise<ArchiveRecord[]> {
    this.#giveUp(findings.filter((finding) => finding.kind === 'changed'));
    const continued: ArchiveRecord[] = [];
    const gone: number[] = [];
    for (const finding of findings) {
      const { record } = finding;
      try {
        if (finding.kind === 'uncommitted') await this.#discard(record, finding.stat);
        if (finding.kind === 'tail') await this.#cut(record, finding.stat);
      } catch (error) {
        throw archiveError(record.path, error);
      }
      if (finding.kind === 'uncommitted' || finding.kind === 'absent') gone.push(record.id);
      if (finding.kind === 'tail' || finding.kind === 'intact') continued.push(record);
    }
    // A file that a power loss brings back must not be one that the database has forgotten.
    await this.#directories.sync();
    this.#records.remove(gone);
    return continued;
  }

  #giveUp(changed: readonly (Finding & { readonly kind: 'changed' })[]): void {
    this.#records.abandon(changed.map(({ record }) => record.id));
    for (const { record, reason } of changed) archiveChanged(this.#telemetry, this.#sink, record.path, reason);
  }

  async #cut(record: ArchiveRecord, seen: FileStat): Promise<void> {
    const { path, committedBytes } = record;
    const ending = committedEnding(record);
    let copy: string | undefined;
    await this.#withSame(path, seen, constants.O_RDWR, async (fd) => {
      const tail = await readAt(this.#io, fd, ending.length, committedBytes);
      const onlyEnding = seen.size <= committedBytes + ending.length && ending.subarray(0, tail.length).equals(tail);
      if (!onlyEnding) copy = await this.#tails?.keep(record.id, fd, committedBytes, seen.size);
      await this.#io.ftruncate(fd, committedBytes);
      if (ending.length > 0) await writeAll(this.#io, fd, ending, committedBytes);
      await this.#io.fdatasync(fd);
    });
    archiveTailCut(this.#telemetry, this.#sink, { path, committedBytes, bytes: seen.size - committedBytes, copy });
  }

  async #discard(record: ArchiveRecord, seen: FileStat): Promise<void> {
    const { path } = record;
    let copy: string | undefined;
    await this.#withSame(path, seen, constants.O_RDONLY, async (fd) => {
      if (seen.size > 0) copy = await this.#tails?.keep(record.id, fd, 0, seen.size);
      await this.#io.unlink(path);
    });
    this.#directories.changed(path);
    archiveDiscarded(this.#telemetry, this.#sink, { path, bytes: seen.size, copy });
  }

  /** Opens the very file that was inspected. */
  async #withSame(path: string, seen: FileStat, access: number, work: (fd: number) => Promise<void>): Promise<void> {
    const fd = await this.#io.open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await this.#io.fstat(fd);
      if (stat.device !== seen.device || stat.inode !== seen.inode || stat.size !== seen.size) {
        throw new AuditailError('ARCHIVE_CHANGED', `${path} changes while it is brought to its last commit`, {
          hint: 'Find out which other process writes to it',
        });
      }
      await work(fd);
    } finally {
      await this.#io.close(fd);
    }
  }
}
