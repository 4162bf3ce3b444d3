import zlib from 'node:zlib';
import type { ArchiveRecord, ArchiveRow } from '../../checkpoint/archive-records.ts';
import type { BlockBuffers } from './block-buffers.ts';
import { BlockQueue, type Disk } from './block-queue.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Dictionaries } from './dictionaries.ts';

/** A piece of content that is compressed and written as one. */
export interface Block {
  readonly dictionary: Buffer | undefined;
  readonly startsMember: boolean;
  /** Of the member's content up to the end of this block, where its trailer has it; else 0. */
  readonly crc: number;
  readonly memberBytes: number;
  /** Bytes of the budget that this block holds now. */
  charged: number;
  /** What is written; set when it is compressed. */
  data: Buffer | undefined;
}

/** The state of a file at one point of its content; `position` is known once everything before it is written. */
export interface Mark {
  readonly slot: number;
  readonly crc: number;
  readonly memberBytes: number;
  /** These count from when the file was taken into memory. */
  readonly contentBytes: number;
  readonly events: number;
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
  position: number;
  readonly written: Promise<void>;
  readonly reached: () => void;
}

/** Where a file is on disk. Device and inode are known once it was created. */
export interface Place {
  readonly id: number;
  readonly path: string;
  device: bigint | undefined;
  inode: bigint | undefined;
}

/** What all files of an archive share. */
export interface FileShare {
  readonly budget: ByteBudget;
  readonly dictionaries: Dictionaries | undefined;
  readonly buffers: BlockBuffers;
  readonly disk: Disk;
  /** Content came in after a mark. */
  readonly touched: (file: OutputFile) => void;
  /** Compresses a block that stands in the file's queue. */
  readonly send: (file: OutputFile, block: Block, content: Buffer) => void;
  readonly relieve: () => void;
  /** What each file could have at once of the memory limit: the size of a buffer that is not grown to yet. */
  readonly fairBytes: () => number;
}

const NEWLINE = 0x0a;
const NO_BUFFER = Buffer.alloc(0);

/**
 * One output file in memory: the content that is not yet a block, and what is needed to continue its gzip member.
 * Taking content is synchronous; blocks go out through the file's queue.
 */
export class OutputFile {
  readonly wantedPath: string;
  readonly tag: string;
  readonly #share: FileShare;
  readonly queue: BlockQueue;

  /** Newest time slot of its events. */
  slot: number;
  /** What the database knew of it when it was taken into memory; undefined for a file that starts from nothing. */
  record: ArchiveRecord | undefined;
  /** Undefined until the database knows that it is about to be written to. */
  place: Place | undefined;
  /** Set while a long line is being written; other content has to go elsewhere. */
  longLine: { readonly done: Promise<void>; readonly finish: () => void } | undefined;
  /** What the last commit stored, if there was one since the file was taken into memory. */
  committed: ArchiveRow | undefined;
  /** Marks that were handed out and are not committed. */
  outstanding = 0;

  #pending: Buffer = NO_BUFFER;
  #length = 0;
  /** Content that the next block is expected to have. */
  #expectedBytes = 0;
  #startsMember = true;
  #crc = 0;
  #memberBytes = 0;
  #contentBytes = 0;
  #events = 0;
  #firstTime: number | undefined;
  #lastTime: number | undefined;
  #dirty = false;
  #beforeLongLine: Mark | undefined;

  constructor(share: FileShare, file: { wantedPath: string; tag: string; slot: number; record?: ArchiveRecord }) {
    this.#share = share;
    this.wantedPath = file.wantedPath;
    this.tag = file.tag;
    this.slot = file.slot;
    this.record = file.record;
    this.queue = new BlockQueue(this, share.disk);
  }

  /** Where it is or will be, as far as that is known. */
  get currentPath(): string {
    return this.place?.path ?? this.record?.path ?? this.wantedPath;
  }

  /** Bytes of the budget held by content that is not yet a block. */
  get pendingCapacity(): number {
    return this.#pending.length;
  }

  /** Everything that came in is committed. */
  get idle(): boolean {
    return !this.#dirty && this.outstanding === 0 && this.longLine === undefined;
  }

  /** Takes one line, `buf` from `start` to `end`, and adds a newline. */
  appendLine(buf: Buffer, start: number, end: number, timeMs: number): void {
    const after = this.#length + end - start;
    if (after < this.#pending.length) {
      buf.copy(this.#pending, this.#length, start, end);
      this.#pending[after] = NEWLINE;
      this.#length = after + 1;
    } else {
      this.#appendSlowly(buf, start, end);
      this.#room(1);
      this.#pending[this.#length++] = NEWLINE;
    }
    this.#contentBytes += end - start + 1;
    this.#count(timeMs);
  }

  /** From here to {@link OutputFile.endLongLine} the content is a line whose start must not be committed alone. */
  beginLongLine(): void {
    if (this.#dirty) this.#beforeLongLine = this.#mark();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.longLine = { done: promise, finish: resolve };
  }

  appendPiece(buf: Buffer, start: number, end: number): void {
    this.#appendSlowly(buf, start, end);
    this.#contentBytes += end - start;
    this.#touch();
  }

  endLongLine(timeMs: number): void {
    this.#room(1);
    this.#pending[this.#length++] = NEWLINE;
    this.#contentBytes += 1;
    this.#count(timeMs);
    this.#beforeLongLine = undefined;
    const longLine = this.longLine;
    this.longLine = undefined;
    longLine?.finish();
  }

  /** The end of what a commit may hold, or undefined when nothing came in since the last mark. */
  takeMark(): Mark | undefined {
    let mark: Mark | undefined;
    if (this.longLine !== undefined) {
      mark = this.#beforeLongLine;
      this.#beforeLongLine = undefined;
    } else if (this.#dirty) {
      mark = this.#mark();
      this.#dirty = false;
    }
    if (mark !== undefined) this.outstanding += 1;
    return mark;
  }

  /** Sends what is pending on its way. */
  seal(): void {
    if (this.#length === 0) return;
    const share = this.#share;
    const content = this.#pending.subarray(0, this.#length);
    if (this.#startsMember) {
      this.#crc = 0;
      this.#memberBytes = 0;
      share.dictionaries?.forget(this);
    }
    if (share.disk.format.trailerBytes > 0) this.#crc = zlib.crc32(content, this.#crc);
    this.#memberBytes += content.length;
    const block: Block = {
      dictionary: share.dictionaries?.get(this),
      startsMember: this.#startsMember,
      crc: this.#crc,
      memberBytes: this.#memberBytes,
      charged: this.#pending.length,
      data: undefined,
    };
    share.dictionaries?.advance(this, content);
    this.#startsMember = false;
    // The next block will probably be as large as this one. To grow up to that would copy it once more.
    this.#expectedBytes = content.length;
    this.#pending = NO_BUFFER;
    this.#length = 0;
    this.queue.push(block);
    share.send(this, block, content);
  }

  /** Forgets all content, because it will be read again. */
  drop(): void {
    this.#share.budget.give(this.#pending.length);
    this.#pending = NO_BUFFER;
    this.#length = 0;
    this.queue.clear();
    this.longLine?.finish();
  }

  #mark(): Mark {
    this.seal();
    const { promise, resolve } = Promise.withResolvers<void>();
    const mark: Mark = {
      slot: this.slot,
      crc: this.#crc,
      memberBytes: this.#memberBytes,
      contentBytes: this.#contentBytes,
      events: this.#events,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
      position: 0,
      written: promise,
      reached: resolve,
    };
    this.queue.push(mark);
    return mark;
  }

  #count(timeMs: number): void {
    this.#events += 1;
    if (this.#firstTime === undefined || timeMs < this.#firstTime) this.#firstTime = timeMs;
    if (this.#lastTime === undefined || timeMs > this.#lastTime) this.#lastTime = timeMs;
    this.#touch();
  }

  #touch(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#share.touched(this);
  }

  #appendSlowly(buf: Buffer, start: number, end: number): void {
    while (start < end) {
      this.#room(end - start);
      const until = Math.min(end, start + this.#pending.length - this.#length);
      buf.copy(this.#pending, this.#length, start, until);
      this.#length += until - start;
      start = until;
    }
  }

  /** Makes room for at least one byte and, where a block can hold them, for all `wanted`. */
  #room(wanted: number): void {
    const { budget, buffers, fairBytes } = this.#share;
    const { blockBytes } = buffers;
    if (this.#length === blockBytes) this.seal();
    if (Math.min(blockBytes, this.#length + wanted) <= this.#pending.length) return;
    if (budget.used >= budget.limit) this.#share.relieve();
    const before = this.#pending;
    const expected = Math.min(this.#expectedBytes, fairBytes());
    const larger = buffers.allocate(Math.max(expected, before.length * 2, this.#length + wanted));
    before.copy(larger, 0, 0, this.#length);
    budget.take(larger.length - before.length);
    this.#pending = larger;
    if (before !== NO_BUFFER) buffers.release(before);
  }
}
