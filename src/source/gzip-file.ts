import type { FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, type ZlibOptions } from 'node:zlib';
import { errorCode } from '../errors.ts';
import { openRegular, type Place } from './plain-file.ts';
import type { SegmentFile, SegmentStat } from './segment-file.ts';

/** Compressed bytes a step. */
const READ_CHUNK = 64 * 1024;

interface Content {
  readonly bytes: number;
  readonly damage: string | undefined;
}

/** Inflated bytes a step; also what a reader at rest keeps in memory. */
const INFLATE_CHUNK = 256 * 1024;

/**
 * For a damaged part: an inflater that fails, or whose input ends early, keeps back what does not fill its chunk, so
 * the chunks are small and the end of the input flushes.
 */
const SALVAGE: ZlibOptions = { chunkSize: 1024, finishFlush: constants.Z_SYNC_FLUSH };

/** Content of a damaged part that is kept in memory: inflating from the start for each line would never end. */
const SALVAGE_BYTES = 4 * 1024 * 1024;

/** A gzip part, seen as its uncompressed content. Reading forward inflates once; reading back begins anew. */
export class GzipFile implements SegmentFile {
  readonly path: string;
  readonly gzip = true;
  readonly device: bigint;
  readonly inode: bigint;
  readonly #handle: FileHandle;
  #content: Promise<Content> | undefined;
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

  readonly #isView: boolean;

  private constructor(path: string, opened: Awaited<ReturnType<typeof openRegular>>, isView = false) {
    this.path = path;
    this.device = opened.device;
    this.inode = opened.inode;
    this.#handle = opened.handle;
    this.#isView = isView;
  }

  static async open(path: string, place?: Place): Promise<GzipFile> {
    return new GzipFile(path, await openRegular(path, place));
  }

  /** Why the content ends early; undefined for a whole file. Inflates the part once. */
  async damage(): Promise<string | undefined> {
    return (await this.#inspect()).damage;
  }

  async stat(): Promise<SegmentStat> {
    const { bytes } = await this.#inspect();
    const stat = await this.#handle.stat({ bigint: true });
    return {
      size: bytes,
      links: Number(stat.nlink),
      modifiedMs: Number(stat.mtimeMs),
    };
  }

  async read(offset: number, buffer: Buffer, start: number, length: number): Promise<number> {
    const end = offset + length;
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
    const view = new GzipFile(this.path, { handle: this.#handle, device, inode }, true);
    view.#content = this.#content;
    return view;
  }

  async close(): Promise<void> {
    await this.#inflater?.return?.();
    if (!this.#isView) await this.#handle.close();
  }

  #inspect(): Promise<Content> {
    this.#content ??= inspect(this.#handle);
    return this.#content;
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
    const inflated = pipeline(streamOf(this.#handle), createGunzip({ chunkSize: INFLATE_CHUNK }), () => undefined);
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
    await inflate(this.#handle, SALVAGE, (chunk) => {
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

/** The file's bytes from its start. A FileHandle's own stream closes the handle when it is destroyed. */
function streamOf(handle: FileHandle): Readable {
  async function* chunks() {
    for (let position = 0; ; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_CHUNK), 0, READ_CHUNK, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}

/** Learns whether the part is whole, and how much content it has, as far as it inflates. */
async function inspect(handle: FileHandle): Promise<Content> {
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
  };
  const damage = await inflate(handle, { chunkSize: INFLATE_CHUNK }, count);
  if (damage === undefined) return { bytes, damage };
  bytes = 0;
  await inflate(handle, SALVAGE, count);
  return { bytes, damage };
}

/** Inflates the whole file, as far as that goes; resolves to the reason why it ends early, if it does. */
async function inflate(
  handle: FileHandle,
  options: ZlibOptions,
  take: (chunk: Buffer) => void,
): Promise<string | undefined> {
  const compressed = streamOf(handle);
  const gunzip = createGunzip(options);
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  compressed.on('error', reject);
  gunzip.on('data', take);
  gunzip.on('error', (error) => resolve(error.message));
  gunzip.on('end', () => resolve(undefined));
  compressed.pipe(gunzip);
  try {
    return await promise;
  } finally {
    compressed.destroy();
    gunzip.destroy();
  }
}
