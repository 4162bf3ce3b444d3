import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { ArchiveFormat, BlockJob } from './archive-format.ts';

/** For content below this a result may be a little larger yet: `ZSTD_COMPRESSBOUND` of zstd.h. */
const SMALL_BYTES = 128 * 1024;

const EMPTY = Buffer.alloc(0);

const zstdCompress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);

/**
 * The bytes of a Zstandard file (RFC 8878): whole frames, one for each piece of content, which need nothing of those
 * before them. So there is no trailer, and the file is whole at each commit.
 */
export const zstdFormat: ArchiveFormat = {
  header: EMPTY,
  blockEnd: EMPTY,
  trailerBytes: 0,
  trailer: () => EMPTY,
  usesDictionary: false,
  codec: {
    compress: (job) => zstdCompress(job.content, optionsOf(job)),
    compressSync: (job) => zlib.zstdCompressSync(job.content, optionsOf(job)),
  },
};

function optionsOf({ content, level }: BlockJob): zlib.ZstdOptions {
  return {
    params: {
      [zlib.constants.ZSTD_c_compressionLevel]: level,
      [zlib.constants.ZSTD_c_checksumFlag]: 1,
    },
    chunkSize: largestResult(content.length),
  };
}

/**
 * Where there is room for the largest result, zstd compresses content where it stands; else it takes a copy of it first, in fresh
 * memory. With room: 0.61 ms for a block of 512 KiB at level 1, without: 0.85 ms. What is not written to takes no memory.
 */
function largestResult(bytes: number): number {
  return bytes + (bytes >>> 8) + (Math.max(0, SMALL_BYTES - bytes) >>> 11);
}
