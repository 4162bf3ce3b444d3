import { BackwardBits, FseState, type FseTable, fseTable, readFseTable, singleSymbolTable } from './zstd-fse.ts';

/*
 * Sections of RFC 8878. A block of a frame is decoded with what the blocks before it left: the content that they gave,
 * three "repeated offsets" (3.1.1.5), a Huffman table for literals (3.1.1.3.1) and three tables for sequences (3.1.1.3.2).
 */

/** Extra bits of the codes of literal lengths and match lengths (3.1.1.3.2.1.1); of offsets a code is the number itself. */
const LITERAL_LENGTH_BITS = [
  ...Array<number>(16).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];
const MATCH_LENGTH_BITS = [
  ...Array<number>(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];

/** The largest accuracy of a table description, the number of symbols, and the table where none is given (3.1.1.3.2.2). */
const CODES = {
  literalLength: {
    accuracy: 9,
    symbols: 36,
    given: fseTable(
      [
        ...[4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1],
        ...[-1, -1, -1, -1],
      ],
      6,
    ),
  },
  offset: {
    accuracy: 8,
    symbols: 32,
    given: fseTable([1, 1, 1, 1, 1, 1, 2, 2, 2, ...Array<number>(15).fill(1), -1, -1, -1, -1, -1], 5),
  },
  matchLength: {
    accuracy: 9,
    symbols: 53,
    given: fseTable([1, 4, 3, 2, 2, 2, 2, 2, 2, ...Array<number>(37).fill(1), ...Array<number>(7).fill(-1)], 6),
  },
} as const;

type Code = keyof typeof CODES;

/**
 * Whether blocks need more of what came before them than its content: repeated offsets or tables that they do not set
 * themselves. Blocks that do not can stand behind any others of a frame that end with the content that they refer to.
 *
 * Only the beginning is looked at, up to where all three repeated offsets have been set: a few sequences as a rule.
 *
 * @param blocks whole blocks with their headers, as {@link blocksOfFrame} gives them; what cannot be read counts as
 *   in need of more
 */
export function needsHistory(blocks: Buffer): boolean {
  try {
    return new HistoryCheck().run(blocks);
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

class HistoryCheck {
  /** Of the repeated offsets, newest first: whether it was set by what has been read. */
  #isOwn = [false, false, false];
  #hasLiteralTable = false;
  readonly #tables: Partial<Record<Code, FseTable>> = {};

  run(blocks: Buffer): boolean {
    for (let at = 0; at < blocks.length; ) {
      const { type, storedBytes } = blockHeader(blocks, at);
      at += BLOCK_HEADER_BYTES;
      if (type === BLOCK_COMPRESSED && this.#blockNeeds(blocks.subarray(at, at + storedBytes))) return true;
      at += storedBytes;
    }
    return false;
  }

  #blockNeeds(block: Buffer): boolean {
    const literals = literalsSection(block);
    if (literals.type === LITERALS_TREELESS && !this.#hasLiteralTable) return true;
    if (literals.type === LITERALS_COMPRESSED) this.#hasLiteralTable = true;
    let at = literals.end;
    let count = block.readUInt8(at++);
    if (count === 0) return false;
    if (count === 255) {
      count = block.readUInt16LE(at) + 0x7f00;
      at += 2;
    } else if (count >= 128) {
      count = ((count - 128) << 8) + block.readUInt8(at++);
    }
    const modes = block.readUInt8(at++);
    for (const [code, shift] of [
      ['literalLength', 6],
      ['offset', 4],
      ['matchLength', 2],
    ] as const) {
      const mode = (modes >> shift) & 3;
      if (mode === 3 && this.#tables[code] === undefined) return true;
      at = this.#readTable(code, mode, block, at);
    }
    // Later blocks may still take tables from before, but only from those that were read here.
    return this.#isOwn.includes(false) && this.#sequencesNeed(count, block.subarray(at));
  }

  /** Gives where the table's description ends. */
  #readTable(code: Code, mode: number, block: Buffer, at: number): number {
    if (mode === 0) this.#tables[code] = CODES[code].given;
    if (mode === 1) this.#tables[code] = singleSymbolTable(block.readUInt8(at));
    if (mode !== 2) return mode === 1 ? at + 1 : at;
    const { table, end } = readFseTable(block, at, CODES[code]);
    this.#tables[code] = table;
    return end;
  }

  #sequencesNeed(count: number, stream: Buffer): boolean {
    const bits = new BackwardBits(stream);
    const literalLength = new FseState(this.#tables.literalLength!, bits);
    const offset = new FseState(this.#tables.offset!, bits);
    const matchLength = new FseState(this.#tables.matchLength!, bits);
    for (let n = 0; n < count; n += 1) {
      const value = 2 ** offset.symbol + bits.read(offset.symbol);
      bits.read(MATCH_LENGTH_BITS[matchLength.symbol]!);
      if (!this.#takeOffset(value, literalLength.symbol === 0)) return true;
      if (!this.#isOwn.includes(false) || n + 1 === count) return false;
      bits.read(LITERAL_LENGTH_BITS[literalLength.symbol]!);
      literalLength.advance();
      matchLength.advance();
      offset.advance();
    }
    return false;
  }

  /** False when the offset is one that was set before the blocks. */
  #takeOffset(value: number, noLiterals: boolean): boolean {
    const [newest, second, third] = this.#isOwn as [boolean, boolean, boolean];
    if (value > 3) {
      this.#isOwn = [true, newest, second];
      return true;
    }
    const index = value - 1 + (noLiterals ? 1 : 0);
    // Behind no literals the fourth is the newest, less one.
    if (![newest, second, third, newest][index]) return false;
    if (index > 0) this.#isOwn = [true, newest, index > 1 ? second : third];
    return true;
  }
}

const LITERALS_RAW = 0;
const LITERALS_RLE = 1;
const LITERALS_COMPRESSED = 2;
const LITERALS_TREELESS = 3;

/** What a block's literals are, and where they end (3.1.1.3.1.1). */
function literalsSection(block: Buffer): { type: number; end: number } {
  const first = block.readUInt8(0);
  const type = first & 3;
  const format = (first >> 2) & 3;
  if (type === LITERALS_RAW || type === LITERALS_RLE) {
    const headerBytes = [1, 2, 1, 3][format]!;
    const count = block.readUIntLE(0, headerBytes) >> (headerBytes === 1 ? 3 : 4);
    return { type, end: headerBytes + (type === LITERALS_RLE ? 1 : count) };
  }
  const headerBytes = [3, 3, 4, 5][format]!;
  const sizeBits = [10, 10, 14, 18][format]!;
  const header = block.readUIntLE(0, headerBytes);
  // Of 5 bytes: beyond what bit operators take.
  const storedBytes = Math.floor(header / 2 ** (4 + sizeBits)) % 2 ** sizeBits;
  return { type, end: headerBytes + storedBytes };
}

const BLOCK_HEADER_BYTES = 3;
const BLOCK_RLE = 1;
const BLOCK_COMPRESSED = 2;

/** Of the block at `at` (3.1.1.2): `storedBytes` come behind its header. */
export function blockHeader(from: Buffer, at: number): { last: boolean; type: number; storedBytes: number } {
  const header = from.readUIntLE(at, BLOCK_HEADER_BYTES);
  const type = (header >> 1) & 3;
  return { last: (header & 1) === 1, type, storedBytes: type === BLOCK_RLE ? 1 : header >> 3 };
}
