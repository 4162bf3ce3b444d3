import { type FileIo, writeAll } from '../file-io.ts';
import type { ArchiveFormat } from './archive-format.ts';
import { freeNow } from './moved-memory.ts';
import type { OpenFiles } from './open-files.ts';
import type { Block, Mark, OutputFile } from './output-file.ts';

/** Joining more would only hold more memory. */
const MAX_WRITE_BYTES = 1024 * 1024;

/** What queues need to write. */
export interface Disk {
  readonly io: FileIo;
  readonly openFiles: OpenFiles;
  readonly format: ArchiveFormat;
  /** A write takes two trips to other threads, however short it is: what is ready waits for more until there is so much. */
  readonly joinedBytes: number;
  /** The block is written and its memory is free. */
  readonly written: (block: Block) => void;
  readonly failed: (file: OutputFile, error: unknown) => void;
  /** Whether so little memory is left that nothing should wait for more of its file. */
  readonly isShort: () => boolean;
}

/**
 * The blocks of one file on their way to the disk, in order, with marks between them. Blocks are compressed at the same
 * time and written when all before them are: the first behind a mark at once, so that an error of the place shows before
 * much is held, and the others with some more of them or at the next mark. Each write carries the end of the member behind
 * the last block, so that the file is complete again after it.
 */
export class BlockQueue {
  readonly #file: OutputFile;
  readonly #disk: Disk;
  #items: (Block | Mark)[] = [];
  #writing = false;
  /** Something was written since the last mark. */
  #begun = false;
  #position: number | undefined;

  constructor(file: OutputFile, disk: Disk) {
    this.#file = file;
    this.#disk = disk;
  }

  push(item: Block | Mark): void {
    this.#items.push(item);
    this.advance();
  }

  /** Writes what has become ready, where it is enough, or waited for. Asked of all files again and again where memory is short. */
  advance(): void {
    if (!this.#writing && this.#items.length > 0) void this.#run();
  }

  clear(): void {
    for (const item of this.#items) if (isBlock(item)) this.#disk.written(item);
    this.#items = [];
  }

  /** Bytes that the file should have on disk. */
  get diskBytes(): number {
    if (this.#position !== undefined) return this.#position + this.#disk.format.trailerBytes;
    return this.#start();
  }

  /** Where a file begins that nothing was written to since it was taken into memory: behind its last member. */
  #start(): number {
    const { record } = this.#file;
    return record === undefined ? 0 : record.committedBytes + this.#disk.format.trailerBytes;
  }

  async #run(): Promise<void> {
    this.#writing = true;
    try {
      for (let ready = this.#takeReady(); ready.length > 0; ready = this.#takeReady()) await this.#write(ready);
    } catch (error) {
      this.#disk.failed(this.#file, error);
    } finally {
      this.#writing = false;
    }
  }

  #takeReady(): (Block | Mark)[] {
    let count = 0;
    let bytes = 0;
    let reachesMark = false;
    for (; count < this.#items.length && bytes < MAX_WRITE_BYTES; count += 1) {
      const item = this.#items[count]!;
      if (isBlock(item)) {
        if (item.data === undefined) break;
        bytes += item.data.length;
      } else {
        reachesMark = true;
      }
    }
    if (this.#begun && !reachesMark && bytes < this.#disk.joinedBytes && !this.#disk.isShort()) return [];
    return this.#items.splice(0, count);
  }

  async #write(ready: (Block | Mark)[]): Promise<void> {
    const last = ready.findLast(isBlock);
    if (last === undefined) return this.#pass(ready, this.#position ?? 0);
    const { io, openFiles, format } = this.#disk;
    const parts: Buffer[] = [];
    for (const item of ready) if (isBlock(item)) parts.push(...this.#bytes(item));
    if (format.trailerBytes > 0) parts.push(format.trailer(last.crc, last.memberBytes));
    const joined = parts.length === 1 ? parts[0]! : joinedCopy(parts);
    let start = 0;
    try {
      await openFiles.write(this.#file, async (fd) => {
        // Known only now: opening may have moved the file to a sibling.
        start = this.#position ?? this.#start();
        await writeAll(io, fd, joined, start);
      });
      this.#pass(ready, start);
    } finally {
      if (parts.length > 1) freeNow(joined);
      for (const item of ready) if (isBlock(item)) this.#disk.written(item);
    }
  }

  #pass(items: (Block | Mark)[], position: number): void {
    let blocks = false;
    for (const item of items) {
      if (isBlock(item)) {
        blocks = true;
        for (const part of this.#bytes(item)) position += part.length;
      } else {
        item.position = position;
        item.reached();
      }
    }
    if (blocks) this.#position = position;
    this.#begun = isBlock(items.at(-1)!);
  }

  #bytes(block: Block): Buffer[] {
    const { header } = this.#disk.format;
    return block.startsMember && header.length > 0 ? [header, block.data!] : [block.data!];
  }
}

function isBlock(item: Block | Mark): item is Block {
  return 'data' in item;
}

/** In memory of its own. */
function joinedCopy(parts: readonly Buffer[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) at += part.copy(joined, at);
  return joined;
}
