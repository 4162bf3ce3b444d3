import type { ChunkMemory } from '../event/chunk-memory.ts';
import { wasmModule, withRoom } from '../wasm-module.ts';

/** Where content stands in the module's memory. It keeps nothing before that. */
const CONTENT = 1024;

/** Room for content that is kept: a chunk, with what comes before it in its buffer. */
const KEPT_BYTES = 1024 * 1024 + 64 * 1024;

interface Exports {
  readonly memory: WebAssembly.Memory;
  digest(at: number, length: number): number;
  begin(): void;
  takeStripes(at: number, length: number): number;
  end(at: number, length: number): number;
}

/**
 * Digests of content: the lower 32 bits of its XXH64 (`wasm/xxh64.ts`). Of lines of 1.5 KB it makes three and a half times as
 * many as zlib makes CRC-32.
 */
class DigestModule {
  readonly exports: Exports;
  readonly bytes: Buffer;

  constructor(contentBytes: number) {
    this.exports = new WebAssembly.Instance(wasmModule('xxh64'), {}).exports as unknown as Exports;
    this.bytes = withRoom(this.exports.memory, CONTENT + contentBytes);
  }
}

/** Makes digests of parts of content that is loaded. */
export class LoadedContent {
  #module: DigestModule | undefined;
  #room = 0;
  #memory: ChunkMemory | undefined;
  #from = 0;
  #to = 0;

  /** Loads [start, end) of `buffer`, in place of what was loaded before; without a copy where it is the memory's. */
  load(buffer: Buffer, start: number, end: number, memory?: ChunkMemory): void {
    this.#from = start;
    this.#to = end;
    this.#memory = memory?.buffer === buffer ? memory : undefined;
    if (this.#memory !== undefined) return;
    const wanted = Math.max(KEPT_BYTES, end - start);
    // Room for more is given back with the next content that does not need it.
    if (wanted > this.#room || (wanted === KEPT_BYTES && this.#room > KEPT_BYTES)) {
      this.#module = new DigestModule(wanted);
      this.#room = wanted;
    }
    buffer.copy(this.#module!.bytes, CONTENT, start, end);
  }

  /** The digest of [start, end) of the buffer, which was loaded. */
  digest(start: number, end: number): number {
    if (start < this.#from || end > this.#to) throw new RangeError(`${start} to ${end} is not loaded`);
    if (this.#memory !== undefined) return this.#memory.digest(start, end);
    return this.#module!.exports.digest(CONTENT + start - this.#from, end - start) >>> 0;
  }
}

/** Makes the digest of content that comes in pieces. */
export class PieceDigest {
  readonly #module = new DigestModule(KEPT_BYTES);
  /** Bytes that stand at the beginning of the memory, and are not yet taken. */
  #rest = 0;

  constructor() {
    this.#module.exports.begin();
  }

  /** Adds [start, end) of `buffer`. */
  add(buffer: Buffer, start = 0, end = buffer.length): this {
    const { bytes, exports } = this.#module;
    while (start < end) {
      const copied = buffer.copy(bytes, CONTENT + this.#rest, start, Math.min(end, start + KEPT_BYTES - this.#rest));
      start += copied;
      const length = this.#rest + copied;
      this.#rest = exports.takeStripes(CONTENT, length);
      bytes.copyWithin(CONTENT, CONTENT + length - this.#rest, CONTENT + length);
    }
    return this;
  }

  /** The digest of what was added; what is added next is other content. */
  end(): number {
    const { exports } = this.#module;
    const digest = exports.end(CONTENT, this.#rest) >>> 0;
    exports.begin();
    this.#rest = 0;
    return digest;
  }
}
