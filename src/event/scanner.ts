import type { ChunkMemory } from './chunk-memory.ts';
import { compilePaths, type PathTree } from './path-trie.ts';
import { RecentTexts } from './recent-texts.ts';
import { faultText } from './scan-faults.ts';
import { ScannerModule } from './scanner-module.ts';

/** What stands at a wanted path: the values of {@link EventScanner.kinds}. */
export const MISSING = 0;
export const STRING = 1;
/** A number, `true` or `false`. */
export const SCALAR = 2;
export const NULL = 3;
/** An object or an array. */
export const CONTAINER = 4;

/** For longer lines there is memory only until a shorter one comes. */
const KEPT_LINE_BYTES = 1024 * 1024;

/**
 * Tells whether a line is an event, a JSON object, and where its wanted fields are, in one pass over the bytes.
 *
 * The verdict is that of `JSON.parse` on the line's UTF-8 text (RFC 8259), and that the value is an object. Of duplicate
 * keys the last counts, also when an earlier one had wanted fields below it. Nothing is allocated for an event, and
 * nesting is bounded by the line's length only, since the stack is our own.
 *
 * The loop is WebAssembly (`wasm/scanner.ts`), because only there 16 bytes can be looked at in one step; a line that does not
 * stand in its {@link chunk} is copied for it. On audit events of 1.5 KB it does 2.1 GB/s on one core, copy included, where the same
 * loop in JavaScript did 1.4 and `JSON.parse` of each line does 0.4 to 0.5 (`bench/scanner.ts`).
 *
 * The results are those of the last scan; they point into its buffer, which the scanner holds until the next one.
 */
export class EventScanner {
  /** By path number: where the value begins, in bytes of the buffer; for a string, behind its quote. */
  starts: Int32Array;
  /** By path number: where the value ends; for a string, at its closing quote; for a container, where it begins. */
  ends: Int32Array;
  /** By path number: `MISSING`, `STRING`, `SCALAR`, `NULL` or `CONTAINER`. */
  kinds: Uint8Array;
  /** After a scan that returned false: where in the buffer the line stopped being an event. */
  errorOffset = 0;
  /** After a scan that returned false: what was wrong there, in plain words; after one that returned true, empty. */
  errorReason = '';

  readonly #tree: PathTree;
  readonly #kept: ScannerModule;
  readonly #texts = new RecentTexts();
  #module: ScannerModule;
  #buf: Buffer = Buffer.alloc(0);

  /**
   * @param paths field paths as {@link parseFieldPath} takes them; path number i is found at index i of the results
   * @param chunkBytes size of {@link chunk}
   * @throws AuditailError `FIELD_PATH` for a path that cannot be read
   */
  constructor(paths: readonly string[], chunkBytes = 0) {
    this.#tree = compilePaths(paths);
    this.#kept = new ScannerModule(this.#tree, KEPT_LINE_BYTES, chunkBytes);
    this.#module = this.#kept;
    ({ kinds: this.kinds, starts: this.starts, ends: this.ends } = this.#kept);
  }

  /** Memory to read into: lines that stand there are not copied. */
  get chunk(): ChunkMemory {
    return this.#kept.chunk;
  }

  /** True when [start, end) of `buf` is an event; else `errorOffset` and `errorReason` say why not. */
  scan(buf: Buffer, start: number, end: number): boolean {
    const isLong = end - start > KEPT_LINE_BYTES;
    if (isLong || this.#module !== this.#kept) this.#useModuleFor(end - start);
    this.#buf = buf;
    this.#forget();
    if (this.#module.scan(buf, start, end)) {
      this.errorOffset = 0;
      this.errorReason = '';
      return true;
    }
    this.#forget();
    const { fault, at, from } = this.#module.error;
    this.errorOffset = start + at;
    this.errorReason = faultText(fault, buf.subarray(start, end), at, from);
    return false;
  }

  /**
   * The value at path number `slot` in the last scanned line: a string decoded, a number or boolean as its source text;
   * undefined when it is missing, null, an object or an array, or the line was no event.
   */
  text(slot: number): string | undefined {
    const kind = this.kinds[slot];
    if (kind === STRING) return this.#texts.decode(this.#buf, this.starts[slot]!, this.ends[slot]!);
    if (kind === SCALAR) return this.#buf.toString('latin1', this.starts[slot], this.ends[slot]);
    return undefined;
  }

  /** Not `fill`, whose call costs more than the loop. */
  #forget(): void {
    const { kinds } = this;
    for (let slot = 0; slot < kinds.length; slot += 1) kinds[slot] = MISSING;
  }

  #useModuleFor(lineBytes: number): void {
    if (lineBytes <= KEPT_LINE_BYTES) this.#module = this.#kept;
    else if (this.#module.maxLineBytes < lineBytes) this.#module = new ScannerModule(this.#tree, lineBytes, 0);
    ({ kinds: this.kinds, starts: this.starts, ends: this.ends } = this.#module);
  }
}
