import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { ArchiveFormat, BlockJob } from './archive-format.ts';

/** Output that is larger than expected costs another trip to a thread. */
const EXPECTED_RATIO = 7;
const MIN_CHUNK_BYTES = 1024;

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
    chunkSize: Math.max(MIN_CHUNK_BYTES, Math.ceil(content.length / EXPECTED_RATIO)),
  };
}
