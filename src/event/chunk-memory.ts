/**
 * Memory that a chunk of a log is read into, and where the scanner finds its lines: they are scanned and digested where they
 * stand. One reader has it at a time; who finds it lent reads into memory of its own, from which each line is copied.
 */
export class ChunkMemory {
  readonly buffer: Buffer;
  /** Of the buffer in the scanner's memory. */
  readonly address: number;
  readonly #digest: (address: number, length: number) => number;
  #isLent = false;

  /** @param digest gives the digest of what stands at an address (`wasm/xxh64.ts`) */
  constructor(buffer: Buffer, digest: (address: number, length: number) => number) {
    this.buffer = buffer;
    this.address = buffer.byteOffset;
    this.#digest = digest;
  }

  /** All of it, to be given back; undefined while somebody has it. */
  lend(): Buffer | undefined {
    if (this.#isLent) return undefined;
    this.#isLent = true;
    return this.buffer;
  }

  takeBack(): void {
    this.#isLent = false;
  }

  /** The digest of [start, end) of the buffer. */
  digest(start: number, end: number): number {
    return this.#digest(this.address + start, end - start) >>> 0;
  }
}
