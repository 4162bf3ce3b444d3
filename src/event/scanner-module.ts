import { wasmModule, withRoom } from '../wasm-module.ts';
import { ChunkMemory } from './chunk-memory.ts';
import { decodeString } from './json-text.ts';
import { layOutPaths } from './path-tables.ts';
import type { PathTree } from './path-trie.ts';

/** The loop looks at 16 bytes at once, and so behind the end of a line. */
const MARGIN_BYTES = 16;

interface Exports {
  readonly memory: WebAssembly.Memory;
  layOut(
    root: number,
    nodes: number,
    indexes: number,
    closers: number,
    kinds: number,
    starts: number,
    ends: number,
  ): void;
  scan(start: number, end: number, shift: number): number;
  digest(at: number, length: number): number;
  readonly errorAt: WebAssembly.Global;
  readonly fault: WebAssembly.Global;
  readonly faultStart: WebAssembly.Global;
}

/** The scanner's loop (`wasm/scanner.ts`) with memory of its own, for lines up to `maxLineBytes` and a chunk of them. */
export class ScannerModule {
  readonly maxLineBytes: number;
  /** By path number, as `EventScanner` has them. */
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly chunk: ChunkMemory;
  /** All of its memory. */
  readonly #bytes: Buffer;
  /** Where a line goes that is not in the chunk. */
  readonly #line: number;
  /** Where the line is that was scanned last. */
  #scanned = 0;
  readonly #exports: Exports;

  constructor(tree: PathTree, maxLineBytes: number, chunkBytes: number) {
    this.maxLineBytes = maxLineBytes;
    const tables = layOutPaths(tree);
    const { count } = tree;
    const closers = tables.end;
    // A line nests at most as deep as it has bytes.
    this.#line = closers + maxLineBytes;
    const host = {
      decodedChild: (node: number, start: number, end: number): number =>
        tables.childByKey(node, decodeString(this.#bytes, start, end)),
    };
    const instance = new WebAssembly.Instance(wasmModule('scanner'), { host });
    this.#exports = instance.exports as unknown as Exports;
    const { memory } = this.#exports;
    const chunk = this.#line + maxLineBytes + MARGIN_BYTES;
    this.#bytes = withRoom(memory, chunk + chunkBytes + MARGIN_BYTES);
    this.chunk = new ChunkMemory(this.#bytes.subarray(chunk, chunk + chunkBytes), this.#exports.digest);
    tables.image.copy(this.#bytes, tables.start);
    this.kinds = new Uint8Array(memory.buffer, tables.kinds, count);
    this.starts = new Int32Array(memory.buffer, tables.starts, count);
    this.ends = new Int32Array(memory.buffer, tables.ends, count);
    this.#exports.layOut(tables.root, tables.nodes, tables.indexes, closers, tables.kinds, tables.starts, tables.ends);
  }

  /** Whether the line [start, end) of `buf`, of at most `maxLineBytes`, is an event. Results are places in `buf`. */
  scan(buf: Buffer, start: number, end: number): boolean {
    let line = this.#line;
    if (buf === this.chunk.buffer) line = this.chunk.address + start;
    else buf.copy(this.#bytes, line, start, end);
    this.#scanned = line;
    return this.#exports.scan(line, line + end - start, start - line) !== 0;
  }

  /** After a scan that gave false; bytes are counted from the beginning of the line. */
  get error(): { readonly fault: number; readonly at: number; readonly from: number } {
    const { fault, errorAt, faultStart } = this.#exports;
    return { fault: fault.value, at: errorAt.value - this.#scanned, from: faultStart.value - this.#scanned };
  }
}
