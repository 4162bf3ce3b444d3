import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { constants, createGunzip, type ZlibOptions } from 'node:zlib';

/** Inflated bytes a step; also what a reader at rest keeps in memory. */
export const INFLATE_CHUNK = 256 * 1024;

/** Compressed bytes a step. */
const READ_CHUNK = 64 * 1024;

/** Content before the end that is kept of a look: as much as anybody compares. */
const END_BYTES = 1024;

/**
 * For a damaged part: an inflater that fails, or whose input ends early, keeps back what does not fill its chunk, so
 * the chunks are small and the end of the input flushes. Each of them is work for another thread, twenty thousand for a
 * part of 20 MB.
 */
const SALVAGE: ZlibOptions = { chunkSize: 1024, finishFlush: constants.Z_SYNC_FLUSH };

/** What is learned by inflating a part once. */
export interface GzipLook {
  /** Content; of a damaged part less than can be read of it: {@link salvagedBytes}. */
  readonly bytes: number;
  /** Why it ends early; undefined for a whole part. */
  readonly damage: string | undefined;
  /** The last bytes of the content. */
  readonly end: Buffer;
}

/** ISIZE, the end of a member (RFC 1952, section 2.3.1). */
const SIZE_BYTES = 4;

/**
 * The content that a part of one member says it has, modulo 2^32, without inflating it. Of a part of several it is the last
 * one's, and of one that is being written whatever its last bytes are. Undefined for one that is too short.
 */
export async function saidBytes(handle: FileHandle): Promise<number | undefined> {
  const { size } = await handle.stat();
  const end = Buffer.alloc(SIZE_BYTES);
  const { bytesRead } = await handle.read(end, 0, SIZE_BYTES, Math.max(0, size - SIZE_BYTES));
  return bytesRead === SIZE_BYTES ? end.readUInt32LE() : undefined;
}

/** Learns whether the part is whole, and how its content ends. */
export async function lookInto(handle: FileHandle): Promise<GzipLook> {
  let bytes = 0;
  let end = Buffer.alloc(0);
  const damage = await inflate(handle, { chunkSize: INFLATE_CHUNK }, (chunk) => {
    bytes += chunk.length;
    end = chunk.length < END_BYTES ? Buffer.concat([end, chunk]) : Buffer.from(chunk.subarray(-END_BYTES));
    end = end.subarray(-END_BYTES);
  });
  return { bytes, damage, end };
}

/** Inflates a damaged part, as far as that goes. */
export async function salvage(handle: FileHandle, take: (chunk: Buffer) => void): Promise<void> {
  await inflate(handle, SALVAGE, take);
}

/** How much content of a damaged part can be read. */
export async function salvagedBytes(handle: FileHandle): Promise<number> {
  let bytes = 0;
  await salvage(handle, (chunk) => {
    bytes += chunk.length;
  });
  return bytes;
}

/** The file's bytes from its start. A FileHandle's own stream closes the handle when it is destroyed. */
export function compressedBytes(handle: FileHandle): Readable {
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

/** Inflates the whole file, as far as that goes; resolves to the reason why it ends early, if it does. */
async function inflate(
  handle: FileHandle,
  options: ZlibOptions,
  take: (chunk: Buffer) => void,
): Promise<string | undefined> {
  const compressed = compressedBytes(handle);
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
