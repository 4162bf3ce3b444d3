import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorCode } from '../errors.ts';
import {
  compressedBytes,
  type GzipLook,
  INFLATE_CHUNK,
  lookInto,
  saidBytes,
  salvage,
  salvagedBytes,
} from './gzip-content.ts';
import { openRegular, type Place } from './plain-file.ts';
import type { SegmentFile, SegmentStat } from './segment-file.ts';

/** Content of a damaged part that is kept in memory: inflating from the start for each line would never end. */
const SALVAGE_BYTES = 4 * 1024 * 1024;

/** A gzip part, seen as its uncompressed content. Reading forward inflates once; reading back begins anew. */
export class GzipFile implements SegmentFile {
  readonly path: string;
  readonly gzip = true;
  readonly device: bigint;
  readonly inode: bigint;
  readonly #handle: FileHandle;
  #look: Promise<GzipLook> | undefined;
  /** Of a damaged part. */
  #salvagedBytes: Promise<number> | undefined;
  #inflater: AsyncIterator<Buffer> | undefined;
  /** Inflated content not yet dropped: it begins at #windowStart. */
  #window: Buffer[] = [];
  #windowStart = 0;
  #windowEnd = 0;
  #broken = false;
  /** Of a damaged part: content from #salvagedAt on. */
  #salvaged = Buffer.alloc(0);
  #salvagedAt = 0;
  /** Where it ends; Infinity where nothing follows. */
  #salvagedTo = 0;

  #isView = false;

  private constructor(path: string, opened: Awaited<ReturnType<typeof openRegular>>) {
    this.path = path;
    this.device = opened.device;
    this.inode = opened.inode;
    this.#handle = opened.handle;
  }

  /** @param looked what {@link look} gave before, of the same file in the same state */
  static async open(path: string, place?: Place, looked?: GzipLook): Promise<GzipFile> {
    const file = new GzipFile(path, await openRegular(path, place));
    if (looked !== undefined) file.#look = Promise.resolve(looked);
    return file;
  }

  /** What is learned by inflating all of the part, which is done once. */
  look(): Promise<GzipLook> {
    this.#look ??= lookInto(this.#handle);
    return this.#look;
  }

  /** See {@link saidBytes}. */
  saidBytes(): Promise<number | undefined> {
    return saidBytes(this.#handle);
  }

  /** Why the content ends early; undefined for a whole file. Inflates the part once. */
  async damage(): Promise<string | undefined> {
    return (await this.look()).damage;
  }

  async stat(): Promise<SegmentStat> {
    const { bytes, damage } = await this.look();
    if (damage !== undefined) this.#salvagedBytes ??= salvagedBytes(this.#handle);
    const stat = await this.#handle.stat({ bigint: true });
    return {
      size: (await this.#salvagedBytes) ?? bytes,
      links: Number(stat.nlink),
      modifiedMs: Number(stat.mtimeMs),
    };
  }

  async read(offset: number, buffer: Buffer, start: number, length: number): Promise<number> {
    const end = offset + length;
    // Who looks at the end of a whole part again, to compare it, need not inflate all that is before it.
    const look = await this.#look;
    if (look !== undefined && look.damage === undefined && offset >= look.bytes - look.end.length) {
      const from = offset - look.bytes + look.end.length;
      return look.end.copy(buffer, start, Math.min(from, look.end.length), Math.min(from + length, look.end.length));
    }
    if (!this.#broken) {
      try {
        await this.#inflateTo(offset, end);
        return this.#copy(offset, Math.min(end, this.#windowEnd), buffer, start);
      } catch (error) {
        if (!(error instanceof Error && errorCode(error)?.startsWith('Z_'))) throw error;
        this.#broken = true;
      }
    }
    return this.#readDamaged(offset, end, buffer, start);
  }

  view(): GzipFile {
    const { device, inode } = this;
    const view = new GzipFile(this.path, { handle: this.#handle, device, inode });
    view.#isView = true;
    view.#look = this.#look;
    view.#salvagedBytes = this.#salvagedBytes;
    return view;
  }

  async close(): Promise<void> {
    await this.#inflater?.return?.();
    if (!this.#isView) await this.#handle.close();
  }

  async #inflateTo(offset: number, end: number): Promise<void> {
    if (offset < this.#windowStart || this.#inflater === undefined) await this.#rewind();
    this.#dropBefore(offset);
    while (this.#windowEnd < end) {
      const next = await this.#inflater!.next();
      if (next.done === true) break;
      this.#window.push(next.value);
      this.#windowEnd += next.value.length;
      this.#dropBefore(offset);
    }
  }

  async #rewind(): Promise<void> {
    await this.#inflater?.return?.();
    this.#window = [];
    this.#windowStart = 0;
    this.#windowEnd = 0;
    const inflated = pipeline(
      compressedBytes(this.#handle),
      createGunzip({ chunkSize: INFLATE_CHUNK }),
      () => undefined,
    );
    this.#inflater = inflated[Symbol.asyncIterator]();
  }

  #dropBefore(offset: number): void {
    while (this.#window.length > 0 && this.#windowStart + this.#window[0]!.length <= offset) {
      this.#windowStart += this.#window.shift()!.length;
    }
  }

  #copy(offset: number, end: number, buffer: Buffer, start: number): number {
    let at = this.#windowStart;
    for (const chunk of this.#window) {
      const from = Math.max(offset, at);
      const to = Math.min(end, at + chunk.length);
      if (from < to) chunk.copy(buffer, start + from - offset, from - at, to - at);
      at += chunk.length;
    }
    return Math.max(0, end - offset);
  }

  /**
   * An inflater that fails drops what it still buffers, so a damaged part is inflated from its start again. What follows
   * the wanted bytes is kept for the next read, since whoever reads it goes on from there.
   */
  async #readDamaged(offset: number, end: number, buffer: Buffer, start: number): Promise<number> {
    const isKept = offset >= this.#salvagedAt && end <= this.#salvagedTo;
    if (!isKept) await this.#salvage(offset, Math.max(end, offset + SALVAGE_BYTES));
    const from = Math.min(offset - this.#salvagedAt, this.#salvaged.length);
    return this.#salvaged.copy(buffer, start, from, Math.min(end - this.#salvagedAt, this.#salvaged.length));
  }

  async #salvage(offset: number, end: number): Promise<void> {
    const pieces: Buffer[] = [];
    let at = 0;
    await salvage(this.#handle, (chunk) => {
      const piece = chunk.subarray(Math.max(0, offset - at), Math.max(0, end - at));
      if (piece.length > 0) pieces.push(piece);
      at += chunk.length;
    });
    this.#salvaged = Buffer.concat(pieces);
    this.#salvagedAt = offset;
    this.#salvagedTo = at > end ? end : Number.POSITIVE_INFINITY;
  }
}

/** Why a file's content ends early; undefined for a whole gzip part, and for what is none. */
export async function damageOf(file: SegmentFile): Promise<string | undefined> {
  return file instanceof GzipFile ? file.damage() : undefined;
}
