import type { SegmentFile, SegmentStat } from '../../src/source/segment-file.ts';

/**
 * A file in memory that grows and whose reads are short: each gives as many bytes as the next of `sizes` says, round and
 * round, at least one as long as there is one.
 */
export class ShortReadFile implements SegmentFile {
  readonly path = '/log/audit.log';
  readonly gzip: boolean;
  readonly device = 1n;
  readonly inode = 2n;
  content: Buffer;
  /** What of the content is there yet. */
  size = 0;
  readonly #sizes: readonly number[];
  #reads = 0;

  constructor(content: Buffer, sizes: readonly number[], options: { gzip?: boolean } = {}) {
    this.content = content;
    this.#sizes = sizes;
    this.gzip = options.gzip ?? false;
  }

  async stat(): Promise<SegmentStat> {
    const { device, inode, size } = this;
    return { device, inode, size, links: 1, modifiedMs: 0 } as SegmentStat;
  }

  async read(offset: number, buffer: Buffer, start: number, length: number): Promise<number> {
    const most = this.#sizes[this.#reads++ % this.#sizes.length]!;
    const end = Math.min(this.size, offset + Math.min(length, most));
    return end <= offset ? 0 : this.content.copy(buffer, start, offset, end);
  }

  view(): SegmentFile {
    return this;
  }

  async close(): Promise<void> {}
}
