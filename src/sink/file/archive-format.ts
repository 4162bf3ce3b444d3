import type { Compression } from '../../config/types.ts';
import { gzipFormat } from './gzip-format.ts';
import { zstdFormat } from './zstd-format.ts';

/** A piece of content that becomes a part of a file. */
export interface BlockJob {
  readonly content: Buffer;
  /** The content before it in the same member; without it the result is legal too, only larger. */
  readonly dictionary: Buffer | undefined;
  /** Nothing of the member stands before it but the header. */
  readonly startsMember: boolean;
  readonly level: number;
}

/**
 * What the bytes of a file are, apart from its content. A file is a sequence of members (gzip members, Zstandard frames,
 * one nameless member where nothing is compressed): header, compressed blocks, trailer. Blocks can be added to the last
 * member for ever, each over the trailer of the one before.
 */
export interface ArchiveFormat {
  readonly header: Buffer;
  /** What each block ends with, and so what is committed of a file; empty where that is not always the same. */
  readonly blockEnd: Buffer;
  readonly trailerBytes: number;
  /** What ends a member of `length` bytes of content with the CRC-32 `crc`. */
  trailer(crc: number, length: number): Buffer;
  /** Whether a block is compressed with the content before it at hand. */
  readonly usesDictionary: boolean;
  /** Undefined where content is written as it is. */
  readonly codec: Codec | undefined;
}

/** Gives bytes that end on a whole byte and can be followed by more. */
export interface Codec {
  /** On one of libuv's threads. */
  compress(job: BlockJob): Promise<Buffer>;
  /** On the thread that calls. */
  compressSync(job: BlockJob): Buffer;
}

const EMPTY = Buffer.alloc(0);

const plainFormat: ArchiveFormat = {
  header: EMPTY,
  blockEnd: Buffer.from('\n'),
  trailerBytes: 0,
  trailer: () => EMPTY,
  usesDictionary: false,
  codec: undefined,
};

export const ARCHIVE_FORMATS: Readonly<Record<Compression, ArchiveFormat>> = {
  gzip: gzipFormat,
  zstd: zstdFormat,
  none: plainFormat,
};
