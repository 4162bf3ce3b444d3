import type { ArchiveRecord, ArchiveRecords, ArchiveRow } from '../../checkpoint/archive-records.ts';
import type { Durability, FileSinkConfig } from '../../config/types.ts';
import { errorCode } from '../../errors.ts';
import { archiveCommitted, archiveFinished } from '../../telemetry/archive-occurrences.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { FileIo } from '../file-io.ts';
import { ArchiveCut, type CutFile } from './archive-cut.ts';
import { archiveError, rewoundError } from './archive-error.ts';
import { BlockCompressor } from './block-compressor.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { CompressionPool } from './compression-pool.ts';
import { Directories } from './directories.ts';
import { type ArchivePaths, FileIndex } from './file-index.ts';
import { OpenFiles } from './open-files.ts';
import type { Block, OutputFile } from './output-file.ts';
import { Registrar } from './registrar.ts';

/** Part of the memory limit to which content is brought down when readers have to wait; from there on nothing waits to be joined. */
const RELIEVED = 0.75;

/** Part of the memory limit that buffers are given ahead of their content; the rest is for what is on its way. */
const FAIR_SHARE = 0.5;

/** How long a rewind waits for writes that are on their way; a write that lands after the cut would destroy the file. */
const SETTLE_TIMEOUT_MS = 30_000;

export interface RunOptions {
  readonly config: FileSinkConfig;
  readonly paths: ArchivePaths;
  readonly sibling: (path: string, n: number) => string;
  readonly records: ArchiveRecords;
  readonly budget: ByteBudget;
  readonly pool: CompressionPool;
  readonly telemetry: Telemetry;
  readonly io: FileIo;
  readonly now: () => number;
  readonly durability: Durability;
  readonly blockBytes: number;
  /** Called once, at the first error. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The archive between two rewinds: all of its memory and descriptors. At the first error it stops for good and gives
 * its memory back; what it is given from then on is read again after the rewind.
 */
export class ArchiveRun {
  readonly #options: RunOptions;
  readonly #compressor: BlockCompressor;
  readonly #index: FileIndex;
  readonly #registrar: Registrar;
  readonly #openFiles: OpenFiles;
  readonly #directories: Directories;
  readonly #stopRelief: () => void;
  #touched = new Set<OutputFile>();
  /** Bytes of the budget that are on their way to the disk. */
  #sent = 0;
  #newestCommitted: number;
  #error: { readonly cause: unknown } | undefined;
  #rejectFlush: ((error: unknown) => void) | undefined;
  #ended = false;

  constructor(options: RunOptions, records: readonly ArchiveRecord[]) {
    this.#options = options;
    const { config, io, durability, budget } = options;
    this.#compressor = new BlockCompressor(config, { ...options, memoryLimit: budget.limit });
    this.#directories = new Directories(io, config.dirMode, durability);
    this.#registrar = new Registrar(options);
    this.#openFiles = new OpenFiles({
      io,
      max: config.maxOpenFiles,
      mode: config.mode,
      durability,
      registrar: this.#registrar,
      directories: this.#directories,
    });
    this.#index = new FileIndex({
      ...options,
      share: {
        budget,
        dictionaries: this.#compressor.dictionaries,
        buffers: this.#compressor.buffers,
        disk: {
          io,
          openFiles: this.#openFiles,
          format: this.#compressor.format,
          joinedBytes: options.blockBytes / 2,
          written: (block) => this.#written(block),
          failed: (file, error) => this.#failFile(file, error),
          isShort: () => budget.used >= budget.limit * RELIEVED,
        },
        touched: (file) => this.#touched.add(file),
        send: (file, block, content) => void this.#send(file, block, content),
        relieve: () => this.#relieve(),
        fairBytes: () => (budget.limit * FAIR_SHARE) / (this.#touched.size + 1),
      },
    });
    for (const record of records) this.#index.load(record);
    this.#newestCommitted = options.records.newestCommittedSlot(config.name) ?? Number.NEGATIVE_INFINITY;
    this.#stopRelief = budget.onPressure(() => this.#relieve());
  }

  append(tag: string, timeMs: number, buf: Buffer, start: number, end: number): void {
    if (this.#ended) return;
    let file = this.#index.find(tag, timeMs);
    if (file.longLine !== undefined) file = this.#index.sidestep(file);
    file.appendLine(buf, start, end, timeMs);
  }

  /** Waits until no other long line is written to that file. Undefined when the run has ended. */
  async beginLong(tag: string, timeMs: number): Promise<OutputFile | undefined> {
    for (;;) {
      if (this.#ended) return undefined;
      const file = this.#index.find(tag, timeMs);
      if (file.longLine === undefined) {
        file.beginLongLine();
        return file;
      }
      await file.longLine.done;
    }
  }

  /** Whether it ended because somebody else touched a file. */
  get sawForeignChange(): boolean {
    return errorCode(this.#error?.cause) === 'ARCHIVE_CHANGED';
  }

  get ended(): boolean {
    return this.#ended;
  }

  get openFiles(): number {
    return this.#openFiles.size;
  }

  cut(): ArchiveCut {
    const files: CutFile[] = [];
    const touched = this.#touched;
    this.#touched = new Set();
    for (const file of touched) {
      const mark = file.takeMark();
      if (mark !== undefined) files.push({ file, mark });
      // The start of a long line is in nobody's commit yet.
      if (file.longLine !== undefined) this.#touched.add(file);
    }
    return new ArchiveCut(this, files);
  }

  async flush(cut: ArchiveCut): Promise<ArchiveRow[]> {
    const stopped = new Promise<never>((_, reject) => {
      this.#rejectFlush = reject;
    });
    try {
      if (this.#ended) throw this.#error?.cause ?? rewoundError();
      return await Promise.race([stopped, this.#write(cut)]);
    } catch (error) {
      this.fail(error);
      throw error;
    } finally {
      this.#rejectFlush = undefined;
    }
  }

  async #write(cut: ArchiveCut): Promise<ArchiveRow[]> {
    await Promise.all(
      cut.files.map(async ({ file, mark }) => {
        await mark.written;
        await this.#openFiles
          .settle(file, mark.position + this.#compressor.format.trailerBytes)
          .catch((error: unknown) => {
            throw archiveError(file.currentPath, error);
          });
      }),
    );
    await this.#directories.sync();
    return cut.takeRows(this.#options.now());
  }

  committed(cut: ArchiveCut): void {
    const written = { files: cut.files.length, events: 0, contentBytes: 0, bytes: 0 };
    for (const [index, { file }] of cut.files.entries()) {
      const row = cut.rows[index]!;
      file.outstanding -= 1;
      const before = file.committed ?? file.record;
      written.events += row.events - (before?.events ?? 0);
      written.contentBytes += row.contentBytes - (before?.contentBytes ?? 0);
      written.bytes += row.committedBytes - (before?.committedBytes ?? 0);
      file.committed = row;
      this.#newestCommitted = Math.max(this.#newestCommitted, row.slot);
    }
    if (written.files > 0) archiveCommitted(this.#options.telemetry, this.#options.config.name, written);
  }

  /** Finishes files whose time slot is over. */
  async finish(): Promise<void> {
    if (this.#ended) return;
    this.#compressor.buffers.trim();
    const { config, records, telemetry } = this.#options;
    const finished = [...this.#index.files].filter((file) => file.idle && this.#isOver(file.slot));
    // From here to forget() nothing waits, so that no content can come into a file that is called finished.
    records.finish(finished.flatMap((file) => file.place?.id ?? []));
    this.#index.forget(finished, (slot) => this.#isOver(slot));
    for (const file of finished) {
      const row = file.committed ?? file.record;
      if (file.place === undefined || row === undefined) continue;
      const { events, committedBytes: bytes, contentBytes, firstTime, lastTime } = row;
      const { path } = file.place;
      archiveFinished(telemetry, config.name, {
        path,
        tag: file.tag,
        events,
        bytes,
        contentBytes,
        firstTime,
        lastTime,
      });
    }
    await this.#openFiles.close(finished).catch((error: unknown) => this.fail(error));
  }

  fail(error: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = { cause: error };
    const ended = this.#ended;
    this.#end();
    this.#rejectFlush?.(error);
    if (!ended) this.#options.onFailure(error);
  }

  #failFile(file: OutputFile, error: unknown): void {
    this.fail(archiveError(file.currentPath, error));
  }

  /** Stops, and waits until nothing of it touches a file any more. Rejects with `ARCHIVE_STUCK`; may be repeated. */
  async abort(): Promise<void> {
    this.#end();
    this.#rejectFlush?.(rewoundError());
    await this.#openFiles.abort(SETTLE_TIMEOUT_MS);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopRelief();
    this.#registrar.stop();
    for (const file of this.#index.files) file.drop();
  }

  #isOver(slot: number): boolean {
    const { config, paths, now } = this.#options;
    return slot < this.#newestCommitted && now() >= paths.slotEnd(slot) + config.graceMs;
  }

  async #send(file: OutputFile, block: Block, content: Buffer): Promise<void> {
    this.#sent += block.charged;
    // Ahead of the first write, so that all files of a cut share one transaction.
    if (file.place === undefined) this.#registrar.place(file).catch((error: unknown) => this.#failFile(file, error));
    try {
      const data = await this.#compressor.bytesOf(block, content, () => !this.#ended);
      if (this.#ended || data === undefined) return;
      block.data = data;
      this.#recharge(block, data.buffer.byteLength);
      file.queue.advance();
    } catch (error) {
      this.#failFile(file, error);
    }
  }

  #written(block: Block): void {
    this.#recharge(block, 0);
    if (block.data !== undefined) this.#compressor.buffers.release(block.data);
  }

  #recharge(block: Block, bytes: number): void {
    const less = block.charged - bytes;
    block.charged = bytes;
    this.#sent -= less;
    this.#options.budget.give(less);
  }

  /** Writes what waits for more of its file, and sends the largest pending buffers until enough is on its way. */
  #relieve(): void {
    const { budget } = this.#options;
    for (const file of this.#touched) file.queue.advance();
    let excess = budget.used - budget.limit * RELIEVED - this.#sent;
    if (excess <= 0) return;
    const largest = [...this.#touched].sort((a, b) => b.pendingCapacity - a.pendingCapacity);
    for (const file of largest) {
      if (excess <= 0) break;
      excess -= file.pendingCapacity;
      file.seal();
    }
  }
}
