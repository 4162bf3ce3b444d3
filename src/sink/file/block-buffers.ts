import { freeNow } from './moved-memory.ts';

/** The smallest buffer: a file that gets a line now and then needs no more. */
const SMALLEST_BYTES = 4 * 1024;

/** Part of the memory limit that may be spare: what a commit of all files gives back at once, and takes again. */
const SPARE_SHARE = 1 / 4;

/**
 * Gives the buffers of blocks back into use. Fresh ones cost page faults, and V8 answers some MB of them with a garbage
 * collection of the whole heap: in a catch-up without reuse those took a sixth of all CPU time.
 */
export class BlockBuffers {
  readonly blockBytes: number;
  readonly #maxSpareBytes: number;
  /** By size. */
  readonly #spare = new Map<number, Buffer[]>();
  #spareBytes = 0;
  /** The least that was spare since the last {@link trim}: nobody needed that. */
  #leastSpareBytes = 0;

  /** @param blockBytes the largest buffer */
  constructor(blockBytes: number, memoryLimit: number) {
    this.blockBytes = blockBytes;
    this.#maxSpareBytes = memoryLimit * SPARE_SHARE;
  }

  get spareBytes(): number {
    return this.#spareBytes;
  }

  /** The size of the buffer that {@link allocate} gives for content of `bytes`: a power of two, or that of a block. */
  sizeFor(bytes: number): number {
    let size = SMALLEST_BYTES;
    while (size < bytes) size *= 2;
    return Math.min(size, this.blockBytes);
  }

  /** A buffer for content of `bytes`, with whatever content, as large as {@link sizeFor} says. */
  allocate(bytes: number): Buffer {
    const size = this.sizeFor(bytes);
    const spare = this.#spare.get(size)?.pop();
    if (spare === undefined) return Buffer.allocUnsafeSlow(size);
    this.#spareBytes -= size;
    this.#leastSpareBytes = Math.min(this.#leastSpareBytes, this.#spareBytes);
    return spare;
  }

  /** Nobody may use `content` after this, nor what it is a part of: it has to be alone in its memory. */
  release(content: Buffer): void {
    const { buffer } = content;
    const size = buffer.byteLength;
    if (size !== this.sizeFor(size) || this.#spareBytes + size > this.#maxSpareBytes) {
      freeNow(content);
      return;
    }
    const same = this.#spare.get(size);
    if (same === undefined) this.#spare.set(size, [Buffer.from(buffer)]);
    else same.push(Buffer.from(buffer));
    this.#spareBytes += size;
  }

  /** Lets go of what nobody has needed since the last time; called now and then, so that an idle agent holds none. */
  trim(): void {
    let surplus = this.#leastSpareBytes;
    for (const [size, buffers] of [...this.#spare].sort(([a], [b]) => b - a)) {
      for (const dropped of buffers.splice(0, Math.floor(surplus / size))) {
        freeNow(dropped);
        surplus -= size;
        this.#spareBytes -= size;
      }
    }
    this.#leastSpareBytes = this.#spareBytes;
  }
}
