/*
 * Finite state entropy as far as the sequences of a Zstandard block need it (RFC 8878, section 4.1): reading table
 * descriptions forward and bit streams backward.
 */

/** A decoding table: what each state stands for, and how the next state comes from it. */
export interface FseTable {
  readonly accuracy: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** The table for probabilities that add up to `2 ** accuracy`; -1 stands for "less than one". */
export function fseTable(probabilities: readonly number[], accuracy: number): FseTable {
  const size = 2 ** accuracy;
  const symbols = new Uint8Array(size);
  const next = probabilities.map((probability) => (probability < 0 ? 1 : probability));
  let high = size - 1;
  for (const [symbol, probability] of probabilities.entries()) if (probability < 0) symbols[high--] = symbol;
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, probability] of probabilities.entries()) {
    for (let n = 0; n < probability; n += 1) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at > high);
    }
  }
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (const [state, symbol] of symbols.entries()) {
    const value = next[symbol]!++;
    bits[state] = accuracy - highestBit(value);
    bases[state] = (value << bits[state]!) - size;
  }
  return { accuracy, symbols, bits, bases };
}

/** The table of a code that has one symbol and takes no bits. */
export function singleSymbolTable(symbol: number): FseTable {
  return { accuracy: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) };
}

/** Reads a table description (section 4.1.1) at `start`. Throws a RangeError where there is none. */
export function readFseTable(from: Buffer, start: number, limits: { accuracy: number; symbols: number }) {
  let position = start * 8;
  const peek = (count: number) => {
    let value = 0;
    for (let n = 0; n < count; n += 1) value |= ((byteAt(from, (position + n) >> 3) >> ((position + n) & 7)) & 1) << n;
    return value;
  };
  const take = (count: number) => {
    const value = peek(count);
    position += count;
    return value;
  };
  const accuracy = take(4) + 5;
  if (accuracy > limits.accuracy) throw new RangeError(`an accuracy of ${accuracy}`);
  const probabilities: number[] = [];
  for (let left = 2 ** accuracy; left > 0; ) {
    const width = highestBit(left + 1) + 1;
    const lowMask = 2 ** (width - 1) - 1;
    const threshold = 2 ** width - 1 - (left + 1);
    let value = peek(width);
    // Small values take a bit less, so that no code point is left unused.
    if ((value & lowMask) < threshold) {
      value &= lowMask;
      position += width - 1;
    } else {
      if (value > lowMask) value -= threshold;
      position += width;
    }
    const probability = value - 1;
    probabilities.push(probability);
    left -= Math.abs(probability);
    if (probability !== 0) continue;
    for (let more = 3; more === 3; ) {
      more = take(2);
      for (let n = 0; n < more; n += 1) probabilities.push(0);
      if (probabilities.length > limits.symbols) break;
    }
  }
  if (probabilities.length > limits.symbols) throw new RangeError(`${probabilities.length} symbols`);
  return { table: fseTable(probabilities, accuracy), end: (position + 7) >> 3 };
}

/** A bit stream that is read from its end to its beginning. Its last byte has a 1 above the first bit. */
export class BackwardBits {
  readonly #bytes: Buffer;
  #left: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const last = byteAt(bytes, bytes.length - 1);
    if (last === 0) throw new RangeError('a bit stream without its end mark');
    this.#left = (bytes.length - 1) * 8 + highestBit(last);
  }

  /** Up to 31 bits. Throws a RangeError when there are not so many. */
  read(count: number): number {
    this.#left -= count;
    if (this.#left < 0) throw new RangeError('a bit stream that is too short');
    let value = 0;
    for (let n = count - 1; n >= 0; n -= 1) {
      const at = this.#left + n;
      value = value * 2 + ((this.#bytes[at >> 3]! >> (at & 7)) & 1);
    }
    return value;
  }
}

/** One state that walks through a table. */
export class FseState {
  readonly #table: FseTable;
  readonly #bits: BackwardBits;
  #state: number;

  constructor(table: FseTable, bits: BackwardBits) {
    this.#table = table;
    this.#bits = bits;
    this.#state = bits.read(table.accuracy);
  }

  get symbol(): number {
    return this.#table.symbols[this.#state]!;
  }

  advance(): void {
    this.#state = this.#table.bases[this.#state]! + this.#bits.read(this.#table.bits[this.#state]!);
  }
}

function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

function byteAt(from: Buffer, index: number): number {
  const byte = from[index];
  if (byte === undefined) throw new RangeError('the end of the data');
  return byte;
}
