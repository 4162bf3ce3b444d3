import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  plainEnd,
  QUOTE,
  SPACE,
  scalarEnd,
  scalarFault,
  spaceEnd,
  stringEnd,
  stringFault,
} from './json-bytes.ts';
import { decodeString } from './json-text.ts';
import { compilePaths, type PathNode } from './path-trie.ts';

/** What stands at a wanted path: the values of {@link EventScanner.kinds}. */
export const MISSING = 0;
export const STRING = 1;
/** A number, `true` or `false`. */
export const SCALAR = 2;
export const NULL = 3;
/** An object or an array. */
export const CONTAINER = 4;

/** Levels of nesting that the stack is kept for between lines; it grows as needed within one. */
const KEPT_LEVELS = 64 * 1024;
const LOWER_N = 0x6e;

/**
 * Tells whether a line is an event, a JSON object, and where its wanted fields are, in one pass over the bytes.
 *
 * The verdict is that of `JSON.parse` on the line's UTF-8 text (RFC 8259), and that the value is an object. Of duplicate
 * keys the last counts, also when an earlier one had wanted fields below it. Nothing is allocated for an event, and
 * nesting is bounded by the line's length only, since the stack is our own. On audit events of 1.5 KB it does 0.7 to 0.8
 * GB/s on one core where `JSON.parse` of each line does 0.36 (`bench/scanner.ts`).
 *
 * The results are those of the last scan; they point into its buffer, which the scanner holds until the next one.
 */
export class EventScanner {
  /** By path number: where the value begins, in bytes of the buffer; for a string, behind its quote. */
  readonly starts: Int32Array;
  /** By path number: where the value ends; for a string, at its closing quote; for a container, where it begins. */
  readonly ends: Int32Array;
  /** By path number: `MISSING`, `STRING`, `SCALAR`, `NULL` or `CONTAINER`. */
  readonly kinds: Uint8Array;
  /** After a scan that returned false: where in the buffer the line stopped being an event. */
  errorOffset = 0;
  /** After a scan that returned false: what was wrong there, in plain words; after one that returned true, empty. */
  errorReason = '';

  readonly #root: PathNode;
  /** By depth, for open containers on a wanted path: their node and, in an array, the index of the element. */
  readonly #nodes: PathNode[];
  readonly #indexes: number[];
  /** The closing bytes of the open containers, without the innermost. */
  #closers: Uint8Array = new Uint8Array(256);
  #buf: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  /**
   * @param paths field paths as {@link parseFieldPath} takes them; path number i is found at index i of the results
   * @throws AuditailError `FIELD_PATH` for a path that cannot be read
   */
  constructor(paths: readonly string[]) {
    const { root, depth } = compilePaths(paths);
    this.#root = root;
    this.#nodes = new Array<PathNode>(depth + 1).fill(root);
    this.#indexes = new Array<number>(depth + 1).fill(0);
    this.starts = new Int32Array(paths.length);
    this.ends = new Int32Array(paths.length);
    this.kinds = new Uint8Array(paths.length);
  }

  /** True when [start, end) of `buf` is an event; else `errorOffset` and `errorReason` say why not. */
  scan(buf: Buffer, start: number, end: number): boolean {
    if (buf !== this.#buf) {
      this.#buf = buf;
      this.#view = new DataView(buf.buffer, buf.byteOffset, buf.length);
    }
    this.#reset();
    if (this.#walk(buf, start, end)) return true;
    this.kinds.fill(MISSING);
    return false;
  }

  /**
   * The value at path number `slot` in the last scanned line: a string decoded, a number or boolean as its source text;
   * undefined when it is missing, null, an object or an array, or the line was no event.
   */
  text(slot: number): string | undefined {
    const kind = this.kinds[slot];
    if (kind === STRING) return decodeString(this.#buf, this.starts[slot]!, this.ends[slot]!);
    if (kind === SCALAR) return this.#buf.toString('latin1', this.starts[slot], this.ends[slot]);
    return undefined;
  }

  /**
   * One function over the whole grammar, because its speed is in what stays in registers; calls are for what is rare.
   * So is white space: it is looked for only where the byte that the apiserver would have written is not there.
   */
  #walk(buf: Buffer, start: number, end: number): boolean {
    const view = this.#view;
    const nodes = this.#nodes;
    const indexes = this.#indexes;
    let closers = this.#closers;
    // Containers around the innermost one; and the deepest of all whose path is wanted, -1 for none.
    let depth = 0;
    let tracked = -1;
    // Of the innermost container: its closing byte, its node when its path is wanted, and the number of the element.
    let closer = CLOSE_BRACE;
    let node: PathNode | undefined;
    let index = 0;
    // The node of the value that comes next.
    let wanted: PathNode | undefined;

    let at = spaceEnd(buf, start, end);
    if (at === end || buf[at] !== OPEN_BRACE) return this.#fail(at, end, 'not a JSON object');
    at = spaceEnd(buf, at + 1, end);
    if (at < end && buf[at] === CLOSE_BRACE) return this.#finish(buf, at + 1, end);
    if (this.#root.hasChildren) {
      tracked = 0;
      node = this.#root;
    }

    for (;;) {
      // What names the value: a key and a colon, or the number of the element.
      if (closer === CLOSE_BRACE) {
        if (at >= end || buf[at] !== QUOTE) {
          at = spaceEnd(buf, at, end);
          if (at >= end || buf[at] !== QUOTE) return this.#fail(at, end, 'expected a key in double quotes');
        }
        const from = at + 1;
        at = plainEnd(view, buf, from, end);
        if (at < end && buf[at] === QUOTE) {
          if (node !== undefined) wanted = this.#child(node, from, at);
        } else {
          at = stringEnd(view, buf, at, end);
          if (at < 0) return this.#fail(~at, end, stringFault(buf, ~at));
          if (node !== undefined) wanted = this.#decodedChild(node, from, at);
        }
        at += 1;
        if (at >= end || buf[at] !== COLON) {
          at = spaceEnd(buf, at, end);
          if (at >= end || buf[at] !== COLON) return this.#fail(at, end, 'expected a colon');
        }
        at += 1;
      } else if (node !== undefined) {
        wanted = node.element(index);
      }

      let first = at < end ? buf[at]! : 0;
      if (first <= SPACE) {
        at = spaceEnd(buf, at, end);
        first = at < end ? buf[at]! : 0;
      }
      if (first === QUOTE) {
        const from = at + 1;
        at = plainEnd(view, buf, from, end);
        if (at >= end || buf[at] !== QUOTE) {
          at = stringEnd(view, buf, at, end);
          if (at < 0) return this.#fail(~at, end, stringFault(buf, ~at));
        }
        if (wanted !== undefined) this.#capture(wanted, STRING, from, at);
        at += 1;
      } else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        if (depth === closers.length) closers = this.#growStack();
        closers[depth] = closer;
        depth += 1;
        closer = first === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
        node = undefined;
        if (wanted !== undefined) {
          this.#capture(wanted, CONTAINER, at, at);
          if (wanted.hasChildren) {
            indexes[tracked] = index;
            nodes[depth] = wanted;
            tracked = depth;
            node = wanted;
            index = 0;
          }
          wanted = undefined;
        }
        at += 1;
        if (at < end && buf[at]! <= SPACE) at = spaceEnd(buf, at, end);
        if (at >= end || buf[at] !== closer) continue;
      } else {
        const from = at;
        at = scalarEnd(buf, at, end);
        if (at < 0) return this.#fail(~at, end, scalarFault(first, ~at === from));
        if (wanted !== undefined) this.#capture(wanted, first === LOWER_N ? NULL : SCALAR, from, at);
      }

      // What ends the value: the brackets that close here, and a comma.
      for (;;) {
        let byte = at < end ? buf[at]! : 0;
        if (byte === COMMA) break;
        if (byte <= SPACE) {
          at = spaceEnd(buf, at, end);
          byte = at < end ? buf[at]! : 0;
          if (byte === COMMA) break;
        }
        if (byte !== closer) {
          return this.#fail(at, end, closer === CLOSE_BRACE ? 'expected a comma or }' : 'expected a comma or ]');
        }
        at += 1;
        if (depth === 0) return this.#finish(buf, at, end);
        depth -= 1;
        closer = closers[depth]!;
        if (depth <= tracked) {
          if (depth < tracked) {
            tracked = depth;
            index = indexes[depth]!;
          }
          node = nodes[depth];
        }
      }
      at += 1;
      if (node !== undefined) index += 1;
    }
  }

  #finish(buf: Buffer, at: number, end: number): boolean {
    at = spaceEnd(buf, at, end);
    return at === end || this.#fail(at, end, 'unexpected text after the object');
  }

  #fail(at: number, end: number, reason: string): false {
    this.errorOffset = at;
    this.errorReason = at >= end ? 'unexpected end' : reason;
    return false;
  }

  /** The child of `node` for a key without escapes; what an earlier value of the same key left is forgotten. */
  #child(node: PathNode, start: number, end: number): PathNode | undefined {
    if (node.decodeKeys) return this.#decodedChild(node, start, end);
    const child = node.childByBytes(this.#buf, start, end);
    if (child !== undefined) this.#forget(child);
    return child;
  }

  #decodedChild(node: PathNode, start: number, end: number): PathNode | undefined {
    // Decoding copies the key: not for one that is too long to be wanted, however it is escaped.
    if (end - start > node.maxKeyBytes) return undefined;
    const child = node.childByKey(decodeString(this.#buf, start, end));
    if (child !== undefined) this.#forget(child);
    return child;
  }

  #capture(node: PathNode, kind: number, start: number, end: number): void {
    const { slots } = node;
    for (let i = 0; i < slots.length; i += 1) {
      const slot = slots[i]!;
      this.kinds[slot] = kind;
      this.starts[slot] = start;
      this.ends[slot] = end;
    }
  }

  #forget(node: PathNode): void {
    const { slotsBelow } = node;
    for (let i = 0; i < slotsBelow.length; i += 1) this.kinds[slotsBelow[i]!] = MISSING;
  }

  #reset(): void {
    for (let slot = 0; slot < this.kinds.length; slot += 1) this.kinds[slot] = MISSING;
    this.errorOffset = 0;
    this.errorReason = '';
    if (this.#closers.length > KEPT_LEVELS) this.#closers = new Uint8Array(KEPT_LEVELS);
  }

  #growStack(): Uint8Array {
    const grown = new Uint8Array(this.#closers.length * 4);
    grown.set(this.#closers);
    this.#closers = grown;
    return grown;
  }
}
