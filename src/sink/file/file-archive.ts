import type { ArchiveRecords, ArchiveRow } from '../../checkpoint/archive-records.ts';
import type { Durability, FileSinkConfig } from '../../config/types.ts';
import { archiveBegins, archiveFailed } from '../../telemetry/archive-occurrences.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { type FileIo, nodeFileIo } from '../file-io.ts';
import type { ArchiveCut } from './archive-cut.ts';
import { ArchiveRun } from './archive-run.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { CompressionPool } from './compression-pool.ts';
import { CutTails } from './cut-tails.ts';
import { Directories } from './directories.ts';
import type { ArchivePaths } from './file-index.ts';
import { refuseForeignTails, refuseUnknownArchive } from './foreign-state.ts';
import { type Finding, inspect } from './inspection.ts';
import { LongLine } from './long-line.ts';
import { Recovery } from './recovery.ts';
import { applyRetention } from './retention.ts';
import { VanishedFiles } from './vanished.ts';

/** Content of one block. Larger ones gain little ratio and cost memory for each file. */
const BLOCK_BYTES = 256 * 1024;

export interface FileArchiveDeps {
  readonly records: ArchiveRecords;
  readonly budget: ByteBudget;
  readonly pool: CompressionPool;
  readonly telemetry: Telemetry;
  readonly durability: Durability;
  /** Where starts keep what they cut off; of this sink alone. Its parent exists. */
  readonly cutDir: string;
  /** Bytes that one commit can leave uncommitted in one file. A longer tail is refused as another commit's content. */
  readonly tailLimit: number;
  readonly paths: ArchivePaths;
  readonly sibling: (path: string, n: number) => string;
  readonly io?: FileIo;
  readonly now?: () => number;
  readonly blockBytes?: number;
}

/**
 * A file sink's output files. Lines go in synchronously; {@link FileArchive.cut}, {@link FileArchive.flush} and the
 * caller's transaction make them durable together with the offsets that they were read up to.
 *
 * Any error in the background or in a flush ends in one call of the failure listener; from then on what is appended is
 * dropped, until {@link FileArchive.rewind} has brought every file back to the last commit.
 */
export class FileArchive {
  readonly #config: FileSinkConfig;
  readonly #deps: FileArchiveDeps;
  readonly #io: FileIo;
  readonly #now: () => number;
  readonly #vanished: VanishedFiles;
  readonly #tails: CutTails;
  #run: ArchiveRun | undefined;
  #failed: (error: unknown) => void = () => undefined;

  constructor(config: FileSinkConfig, deps: FileArchiveDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#io = deps.io ?? nodeFileIo;
    this.#now = deps.now ?? Date.now;
    this.#vanished = new VanishedFiles(config.name, deps.records, this.#io);
    this.#tails = new CutTails(this.#io, deps.cutDir);
    archiveBegins(deps.telemetry, config.name);
  }

  /** `listener` is called once after each start or rewind at most, at the first error: the caller has to rewind. */
  onFailure(listener: (error: unknown) => void): void {
    this.#failed = listener;
  }

  /**
   * Brings every file to its last commit, keeping copies of what it cuts off. Throws `STATE_FOREIGN` or `STATE_EMPTY`,
   * before anything was changed, when the state does not belong to the archive.
   */
  async start(): Promise<void> {
    const { records, paths, tailLimit } = this.#deps;
    const sink = this.#config.name;
    const now = this.#now();
    await refuseUnknownArchive({ sink, records, paths, io: this.#io, now });
    const findings = await this.#inspect();
    refuseForeignTails(findings, { sink, tailLimit, directory: paths.directory, now });
    await this.#begin(findings, this.#tails);
  }

  /** Forgets everything since the last commit and brings every file back to it. When it rejects, call it again. */
  async rewind(): Promise<void> {
    await this.#run?.abort();
    // What is cut off is read again, unless somebody else wrote it.
    const tails = this.#run?.sawForeignChange === true ? this.#tails : undefined;
    await this.#begin(await this.#inspect(), tails);
  }

  /**
   * Takes one line, the bytes of `buf` from `start` to `end` without newline. They are copied, and never is there
   * waiting; the caller waits for the budget between chunks.
   */
  append(tag: string, timeMs: number, buf: Buffer, start: number, end: number): void {
    this.#run?.append(tag, timeMs, buf, start, end);
  }

  /**
   * Begins a line that is longer than memory. It waits for another one in the same file; lines that are appended to
   * that file meanwhile go to a numbered sibling.
   */
  async beginLong(tag: string, timeMs: number): Promise<LongLine> {
    const run = this.#started();
    return new LongLine(run, await run.beginLong(tag, timeMs), timeMs, this.#deps.budget);
  }

  /** Output files that are open. */
  get openFiles(): number {
    return this.#run?.openFiles ?? 0;
  }

  /** The directory that all its files are in. */
  get directory(): string {
    return this.#deps.paths.directory;
  }

  /** Everything appended so far belongs to this commit, everything later to the next. One at a time. */
  cut(): ArchiveCut {
    return this.#started().cut();
  }

  /**
   * Compresses, writes, syncs and checks what the cut holds; the rows go into the transaction that stores the offsets
   * (`ArchiveRecords.save`). Rejects at any error: the caller has to rewind.
   */
  flush(cut: ArchiveCut): Promise<ArchiveRow[]> {
    return cut.run.flush(cut);
  }

  /** The transaction with the cut's rows is durable. */
  committed(cut: ArchiveCut): void {
    cut.run.committed(cut);
  }

  /** Finishes files whose time is over and deletes what retention does not keep. */
  async maintain(): Promise<void> {
    const { records, telemetry, durability } = this.#deps;
    await this.#run?.finish();
    const now = this.#now();
    const directories = new Directories(this.#io, this.#config.dirMode, durability);
    await applyRetention({ config: this.#config, records, io: this.#io, directories, telemetry, now });
    await this.#vanished.forget(now);
  }

  /** The lines that a start cut off have been archived again: deletes the copies. */
  dropCutTails(): Promise<void> {
    return this.#tails.drop();
  }

  /** The log has gaps where lines were cut off: the copies stay for good, as `*.tail.kept`. */
  retainCutTails(): Promise<void> {
    return this.#tails.retain();
  }

  /** Stops without writing what is not committed; the next start cuts it off. May be repeated. */
  async close(): Promise<void> {
    await this.#run?.abort();
  }

  #started(): ArchiveRun {
    if (this.#run === undefined) throw new Error('the archive is not started');
    return this.#run;
  }

  async #inspect(): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (const record of this.#deps.records.open(this.#config.name)) findings.push(await inspect(this.#io, record));
    return findings;
  }

  async #begin(findings: readonly Finding[], tails: CutTails | undefined): Promise<void> {
    const { records, telemetry, durability } = this.#deps;
    const sink = this.#config.name;
    const directories = new Directories(this.#io, this.#config.dirMode, durability);
    const recovery = new Recovery({ sink, records, io: this.#io, telemetry, directories, tails });
    const continued = await recovery.apply(findings);
    this.#run = new ArchiveRun(
      {
        ...this.#deps,
        config: this.#config,
        io: this.#io,
        now: this.#now,
        blockBytes: this.#deps.blockBytes ?? BLOCK_BYTES,
        onFailure: (error) => {
          archiveFailed(telemetry, sink, error);
          this.#failed(error);
        },
      },
      continued,
    );
  }
}
