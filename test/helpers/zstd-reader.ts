import { createReadStream } from 'node:fs';
import { createZstdDecompress } from 'node:zlib';

/** A Zstandard file that cannot be read to its end. */
export class DamagedZstd extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'DamagedZstd';
  }
}

/**
 * Decompresses a Zstandard file of any number of frames, by zlib's decoder.
 *
 * @throws DamagedZstd after the pieces that could still be read were yielded; a file that ends within a frame is damaged,
 *   but for one that ends within the first four bytes of a later frame, whose content is missing all the same.
 */
export async function* readZstd(path: string): AsyncGenerator<Buffer> {
  const compressed = createReadStream(path);
  const decoder = createZstdDecompress();
  compressed.on('error', (error) => decoder.destroy(error));
  compressed.pipe(decoder);
  try {
    for await (const piece of decoder) yield piece as Buffer;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw error;
    throw new DamagedZstd(path, error instanceof Error ? error.message : String(error));
  } finally {
    compressed.destroy();
  }
}
