/** Enough for the threads and the files that fill up meanwhile; more would only hold memory. */
const MAX_SPARE = 8;

/** Gives buffers of one block's size back into use: fresh ones cost page faults and garbage collection. */
export class BlockBuffers {
  readonly blockBytes: number;
  readonly #spare: Buffer[] = [];

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  /** A buffer of `bytes`, with whatever content. */
  allocate(bytes: number): Buffer {
    const spare = bytes === this.blockBytes ? this.#spare.pop() : undefined;
    return spare ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Nobody may use `content`, or what it is a part of, after this. */
  release(content: Buffer): void {
    if (content.buffer.byteLength !== this.blockBytes || this.#spare.length >= MAX_SPARE) return;
    this.#spare.push(Buffer.from(content.buffer));
  }
}
