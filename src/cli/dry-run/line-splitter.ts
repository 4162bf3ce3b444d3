import { skipNulls } from '../../source/head.ts';

const NEWLINE = 0x0a;

/** What a buffer for lines that cross chunks begins with. */
const MIN_KEPT_BYTES = 64 * 1024;

export interface LineTaker {
  /**
   * Takes the line [start, end) of `buffer`, without its newline. The buffer is reused after the call. `line` counts
   * from 1; `nulls` NUL bytes stood before it and were skipped.
   */
  line(buffer: Buffer, start: number, end: number, line: number, nulls: number): void;
  /** Takes note of a line of `length` bytes, more than the limit; its content was dropped. */
  longLine(length: number, line: number, nulls: number): void;
}

/**
 * Splits one input into lines by its bytes, with the agent's rules: NUL bytes before a line are skipped, and a line of
 * more than `maxLineBytes` is not held. It needs memory for one line of that length at most.
 */
export class LineSplitter {
  /** Lines so far, and the NUL bytes that were skipped. */
  lines = 0;
  nullBytes = 0;
  /** Where the line that was taken last begins in the content. */
  lineStart = 0;
  readonly #maxLineBytes: number;
  readonly #taker: LineTaker;
  /** The beginning of a line that goes on in the next chunk: [0, #keptLength) of #kept, or only counted in #long. */
  #kept = Buffer.alloc(0);
  #keptLength = 0;
  #long = 0;
  /** NUL bytes skipped before the present line. */
  #nulls = 0;
  /** Where the present line and the NUL bytes before it begin in the content. */
  #nextStart = 0;

  constructor(maxLineBytes: number, taker: LineTaker) {
    this.#maxLineBytes = maxLineBytes;
    this.#taker = taker;
  }

  /** The chunk may be reused after the call. */
  push(chunk: Buffer): void {
    let at = this.#keptLength + this.#long > 0 ? this.#goOn(chunk) : 0;
    while (at < chunk.length) {
      const begin = skipNulls(chunk, at, chunk.length);
      this.#nulls += begin - at;
      const newline = chunk.indexOf(NEWLINE, begin);
      if (newline < 0) {
        this.#keep(chunk, begin, chunk.length);
        return;
      }
      if (newline - begin > this.#maxLineBytes) this.#takeLong(newline - begin);
      else this.#take(chunk, begin, newline);
      at = newline + 1;
    }
  }

  /** Takes what follows the last newline, as the agent does with a file that grows no more. False when there is nothing. */
  end(): boolean {
    const unterminated = this.#keptLength + this.#long > 0;
    if (unterminated) this.#takeKept();
    this.nullBytes += this.#nulls;
    this.#nulls = 0;
    return unterminated;
  }

  /** Takes the rest of the line that was begun; gives the index of what follows it. */
  #goOn(chunk: Buffer): number {
    const newline = chunk.indexOf(NEWLINE);
    this.#keep(chunk, 0, newline < 0 ? chunk.length : newline);
    if (newline < 0) return chunk.length;
    this.#takeKept();
    return newline + 1;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const length = this.#keptLength + end - start;
    if (this.#long > 0 || length > this.#maxLineBytes) {
      this.#long += length;
      this.#keptLength = 0;
      this.#kept = Buffer.alloc(0);
      return;
    }
    if (length > this.#kept.length) {
      const size = Math.min(Math.max(length, 2 * this.#kept.length, MIN_KEPT_BYTES), this.#maxLineBytes);
      const grown = Buffer.allocUnsafeSlow(size);
      this.#kept.copy(grown, 0, 0, this.#keptLength);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#keptLength, start, end);
    this.#keptLength = length;
  }

  #takeKept(): void {
    const length = this.#keptLength;
    this.#keptLength = 0;
    if (this.#long > 0) this.#takeLong(this.#long);
    else this.#take(this.#kept, 0, length);
    this.#long = 0;
  }

  #take(buffer: Buffer, start: number, end: number): void {
    this.#count(end - start);
    this.#taker.line(buffer, start, end, this.lines, this.#nulls);
    this.nullBytes += this.#nulls;
    this.#nulls = 0;
  }

  #takeLong(length: number): void {
    this.#count(length);
    this.#taker.longLine(length, this.lines, this.#nulls);
    this.nullBytes += this.#nulls;
    this.#nulls = 0;
  }
  #count(length: number): void {
    this.lines += 1;
    this.lineStart = this.#nextStart + this.#nulls;
    this.#nextStart = this.lineStart + length + 1;
  }
}
