import type { FileSinkConfig } from '../../config/types.ts';
import { ARCHIVE_FORMATS, type ArchiveFormat } from './archive-format.ts';
import { BlockBuffers } from './block-buffers.ts';
import type { CompressionPool } from './compression-pool.ts';
import { Dictionaries } from './dictionaries.ts';
import type { Block } from './output-file.ts';

/** Makes the bytes of a file out of its content, in memory that goes round: content, windows and results. */
export class BlockCompressor {
  readonly format: ArchiveFormat;
  readonly buffers: BlockBuffers;
  /** Undefined where blocks need nothing of those before them. */
  readonly dictionaries: Dictionaries | undefined;
  readonly #config: FileSinkConfig;
  readonly #pool: CompressionPool;

  constructor(config: FileSinkConfig, options: { pool: CompressionPool; blockBytes: number; memoryLimit: number }) {
    this.#config = config;
    this.#pool = options.pool;
    this.format = ARCHIVE_FORMATS[config.compress];
    this.buffers = new BlockBuffers(options.blockBytes, options.memoryLimit);
    this.dictionaries = this.format.usesDictionary ? new Dictionaries() : undefined;
  }

  /**
   * What is to be written of a block. The content is not to be used after it.
   *
   * @param wanted looked at before the work starts
   * @returns undefined when it was no longer wanted
   */
  async bytesOf(block: Block, content: Buffer, wanted: () => boolean): Promise<Buffer | undefined> {
    if (this.format.codec === undefined) return content;
    const { dictionary, startsMember } = block;
    const { level, compress: format } = this.#config;
    const done = await this.#pool.run({ format, level, startsMember, content, dictionary }, wanted);
    if (done === undefined) return undefined;
    this.buffers.release(done.content);
    if (done.dictionary !== undefined) this.dictionaries?.release(done.dictionary);
    return done.data;
  }
}
