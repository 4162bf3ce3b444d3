import type { ArchiveRecord, ArchiveRecords } from '../../checkpoint/archive-records.ts';
import type { FileSinkConfig } from '../../config/types.ts';
import { isOverflowTag, overflowTag } from '../../route/reserved-tags.ts';
import { archiveOverflow } from '../../telemetry/archive-occurrences.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { type FileShare, OutputFile } from './output-file.ts';

/** What the archive needs of a path template. */
export interface ArchivePaths {
  render(tag: string, timeMs: number): string;
  /** Start of the time slot that shares a path, in milliseconds since the epoch. */
  slot(timeMs: number): number;
  slotEnd(slot: number): number;
  /** The fixed directory that all paths are in. */
  readonly directory: string;
  /** For `path.matchesGlob`: matches every path, and its numbered siblings. */
  readonly glob: string;
}

interface Slot {
  readonly start: number;
  readonly end: number;
  /** Rendered paths that tags of their own have. */
  readonly paths: Set<string>;
  /** A cache; tags that share the overflow file are among them. */
  readonly tags: Map<string, OutputFile>;
}

/** Finds the output file for a tag and a time. The common case is a comparison or one map lookup. */
export class FileIndex {
  readonly #config: FileSinkConfig;
  readonly #paths: ArchivePaths;
  readonly #records: ArchiveRecords;
  readonly #telemetry: Telemetry;
  readonly #share: FileShare;
  readonly #slots = new Map<number, Slot>();
  readonly #byPath = new Map<string, OutputFile>();
  /** Every file in memory; two can have one path while a long line is written to the first. */
  readonly files = new Set<OutputFile>();
  #slot: Slot | undefined;
  #lastTag: string | undefined;
  #lastFile: OutputFile | undefined;

  constructor(options: {
    config: FileSinkConfig;
    paths: ArchivePaths;
    records: ArchiveRecords;
    telemetry: Telemetry;
    share: FileShare;
  }) {
    this.#config = options.config;
    this.#paths = options.paths;
    this.#records = options.records;
    this.#telemetry = options.telemetry;
    this.#share = options.share;
  }

  /**
   * Takes a file of the database into memory that is on disk as its record says. One that was begun with another
   * compression is only there to be finished: new content goes to a sibling.
   */
  load(record: ArchiveRecord): void {
    const file = new OutputFile(this.#share, { ...record, record });
    if (record.open) {
      file.place = { id: record.id, path: record.path, device: record.device, inode: record.inode };
    }
    if (record.compress === this.#config.compress) this.#add(file);
    else this.files.add(file);
  }

  find(tag: string, timeMs: number): OutputFile {
    const slot = this.#slot;
    if (slot === undefined || timeMs < slot.start || timeMs >= slot.end) this.#enterSlot(timeMs);
    else if (tag === this.#lastTag) return this.#lastFile!;
    const file = this.#slot!.tags.get(tag) ?? this.#locate(tag, timeMs, this.#slot!);
    this.#lastTag = tag;
    this.#lastFile = file;
    return file;
  }

  /** Another file for the same path, because the first cannot take content now. */
  sidestep(file: OutputFile): OutputFile {
    const other = new OutputFile(this.#share, { wantedPath: file.wantedPath, tag: file.tag, slot: file.slot });
    this.#add(other);
    this.#forgetTags();
    return other;
  }

  /** Frees the memory of files that are finished, and of time slots without files. */
  forget(files: readonly OutputFile[], isOver: (slot: number) => boolean): void {
    for (const file of files) {
      this.files.delete(file);
      if (this.#byPath.get(file.wantedPath) === file) this.#byPath.delete(file.wantedPath);
    }
    this.#forgetTags();
    const used = new Set<number>();
    for (const file of this.files) used.add(file.slot);
    for (const start of this.#slots.keys()) {
      if (!used.has(start) && isOver(start)) this.#slots.delete(start);
    }
    this.#slot = undefined;
  }

  #enterSlot(timeMs: number): void {
    const start = this.#paths.slot(timeMs);
    let slot = this.#slots.get(start);
    if (slot === undefined) {
      const paths = new Set<string>();
      for (const { wantedPath, tag } of this.#records.slotPaths(this.#config.name, start)) {
        if (!isOverflowTag(tag)) paths.add(wantedPath);
      }
      for (const file of this.files) {
        if (file.slot === start && !isOverflowTag(file.tag)) paths.add(file.wantedPath);
      }
      slot = { start, end: this.#paths.slotEnd(start), paths, tags: new Map() };
      this.#slots.set(start, slot);
    }
    this.#slot = slot;
    this.#lastTag = undefined;
  }

  #locate(tag: string, timeMs: number, slot: Slot): OutputFile {
    let owner = tag;
    let path = this.#paths.render(tag, timeMs);
    if (!slot.paths.has(path)) {
      if (slot.paths.size < this.#config.maxTags) {
        slot.paths.add(path);
      } else {
        owner = overflowTag(tag);
        path = this.#paths.render(owner, timeMs);
        archiveOverflow(this.#telemetry, this.#config.name, tag, this.#config.maxTags);
      }
    }
    const file = this.#byPath.get(path) ?? this.#load(owner, path, slot.start);
    // Where a clock is set back, two slots share a path.
    file.slot = Math.max(file.slot, slot.start);
    if (slot.tags.size >= this.#config.maxTags * 2) slot.tags.clear();
    slot.tags.set(tag, file);
    return file;
  }

  #load(tag: string, wantedPath: string, slot: number): OutputFile {
    const record = this.#records.current(this.#config.name, wantedPath, this.#config.compress);
    if (record !== undefined) this.load(record);
    else this.#add(new OutputFile(this.#share, { wantedPath, tag, slot }));
    return this.#byPath.get(wantedPath)!;
  }

  #add(file: OutputFile): void {
    this.files.add(file);
    this.#byPath.set(file.wantedPath, file);
  }

  #forgetTags(): void {
    for (const slot of this.#slots.values()) slot.tags.clear();
    this.#lastTag = undefined;
    this.#lastFile = undefined;
  }
}
