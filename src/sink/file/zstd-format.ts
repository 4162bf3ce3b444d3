import zlib from 'node:zlib';
import type { ArchiveFormat, BlockJob } from './archive-format.ts';
import { blockHeader, needsHistory } from './zstd-history.ts';

/**
 * The bytes of a Zstandard file (RFC 8878). A frame takes the place of a gzip member: `header, block…, empty last block`.
 * The last block is replaced by more blocks and another last one behind them.
 *
 * zlib gives only whole frames. So each piece of content is compressed as a frame of its own, with the content before it as
 * dictionary, and its blocks are joined to the file's frame, whose reader has that content in its window. What else a
 * reader keeps of the blocks before, the compressor did not know of: a piece that came out referring to it, which is
 * rare, is compressed again from another start.
 */

const WINDOW_LOG = 20;

/** How far back blocks may refer: all of a piece of content, and its dictionary. A reader needs so much memory. */
export const WINDOW_BYTES = 2 ** WINDOW_LOG;

/** Magic number; no content size, checksum or dictionary; the window. */
const FRAME_HEADER = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (WINDOW_LOG - 10) << 3]);

/** An empty raw block, the last one of its frame. */
const LAST_BLOCK = Buffer.from([0x01, 0x00, 0x00]);

/** What a dictionary begins with that is more than content. */
const DICTIONARY_MAGIC = Buffer.from([0x37, 0xa4, 0x30, 0xec]);

/** Output that is larger than expected costs another trip to a thread. */
const EXPECTED_RATIO = 4;
const MIN_CHUNK_BYTES = 1024;

/** RFC 8878, section 3.1.1.2.4. */
const MAX_BLOCK_BYTES = 128 * 1024;

/**
 * Bytes at the start of a piece that are stored as they are, in the first try and those after it. A piece for which none
 * helps repeats the same few bytes all the time, and is stored whole. Of audit events no piece of 4,100 took a second try
 * at any level up to 9; at level 16 one in 80 of 16 KB did.
 */
const STORED_BEFORE_TRY = [0, 1024, 16 * 1024, 256 * 1024];

const EMPTY = Buffer.alloc(0);

export const zstdFormat: ArchiveFormat = {
  header: FRAME_HEADER,
  trailerBytes: LAST_BLOCK.length,
  trailer: () => LAST_BLOCK,
  compress,
};

async function compress({ content, dictionary = EMPTY, startsMember, level }: BlockJob): Promise<Buffer> {
  if (dictionary.length + content.length > WINDOW_BYTES) throw new RangeError('more content than the window holds');
  for (const stored of STORED_BEFORE_TRY) {
    if (stored >= content.length) break;
    const before = stored === 0 ? dictionary : Buffer.concat([dictionary, content.subarray(0, stored)]);
    const blocks = blocksOfFrame(await compressFrame(content.subarray(stored), before, level));
    // At the start of a frame nothing is left from before, as the compressor believes.
    const isStart = startsMember && stored === 0;
    if (!isStart && needsHistory(blocks)) continue;
    return stored === 0 ? blocks : Buffer.concat([storedBlocks(content.subarray(0, stored)), blocks]);
  }
  return storedBlocks(content);
}

function compressFrame(content: Buffer, dictionary: Buffer, level: number): Promise<Buffer> {
  const options: zlib.ZstdOptions = {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    chunkSize: Math.max(MIN_CHUNK_BYTES, Math.ceil(content.length / EXPECTED_RATIO)),
  };
  if (dictionary.length > 0) options.dictionary = asContent(dictionary);
  return new Promise((resolve, reject) => {
    zlib.zstdCompress(content, options, (error, frame) => {
      if (error === null) resolve(frame);
      else reject(error);
    });
  });
}

/** Blocks that hold content as it is. They take nothing from before and leave nothing but their content. */
function storedBlocks(content: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += MAX_BLOCK_BYTES) {
    const part = content.subarray(at, at + MAX_BLOCK_BYTES);
    const header = Buffer.allocUnsafe(3);
    header.writeUIntLE(part.length << 3, 0, 3);
    parts.push(header, part);
  }
  return Buffer.concat(parts);
}

/** A log may hold anything: content must not be taken for a dictionary with tables. */
function asContent(dictionary: Buffer): Buffer {
  return dictionary.subarray(0, 4).equals(DICTIONARY_MAGIC) ? dictionary.subarray(1) : dictionary;
}

/** The blocks of a frame without a checksum, none of them marked as the last. Changes `frame`, which they are part of. */
export function blocksOfFrame(frame: Buffer): Buffer {
  const start = frameHeaderBytes(frame);
  for (let at = start; ; ) {
    const { last, storedBytes } = blockHeader(frame, at);
    if (!last) {
      at += 3 + storedBytes;
      continue;
    }
    frame[at]! &= 0xfe;
    return frame.subarray(start);
  }
}

/** RFC 8878, section 3.1.1.1. */
function frameHeaderBytes(frame: Buffer): number {
  const descriptor = frame.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3]!;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return 5 + windowBytes + dictionaryIdBytes + contentSizeBytes;
}
