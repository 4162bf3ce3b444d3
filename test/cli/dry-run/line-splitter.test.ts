import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from '../../../src/cli/dry-run/line-splitter.ts';

interface Taken {
  readonly line: number;
  readonly nulls: number;
  /** Where the line begins. */
  readonly at: number;
  readonly content: string | number;
}

/** Splits `content`, given in pieces that end at `cuts`. Each piece is overwritten after its call. */
function split(content: Buffer, cuts: readonly number[], maxLineBytes: number) {
  const taken: Taken[] = [];
  const splitter: LineSplitter = new LineSplitter(maxLineBytes, {
    line: (buffer, start, end, line, nulls) => {
      taken.push({ line, nulls, at: splitter.lineStart, content: buffer.toString('latin1', start, end) });
    },
    longLine: (length, line, nulls) => taken.push({ line, nulls, at: splitter.lineStart, content: length }),
  });
  const ends = [...cuts.map((cut) => cut % (content.length + 1)), content.length].sort((one, other) => one - other);
  let at = 0;
  for (const end of ends) {
    const piece = Buffer.from(content.subarray(at, end));
    splitter.push(piece);
    piece.fill(0x2a);
    at = end;
  }
  const unterminated = splitter.end();
  return { taken, unterminated, lines: splitter.lines, nullBytes: splitter.nullBytes };
}

/** The same by the simplest means. */
function reference(content: Buffer, maxLineBytes: number) {
  const pieces = content.toString('latin1').split('\n');
  const rest = pieces.pop()!.replace(/^\0+/, '');
  const unterminated = rest !== '';
  const texts = unterminated ? [...pieces, content.toString('latin1').split('\n').at(-1)!] : pieces;
  let next = 0;
  const taken = texts.map((text, index): Taken => {
    const begin = next;
    next += text.length + 1;
    const line = text.replace(/^\0+/, '');
    const nulls = text.length - line.length;
    return { line: index + 1, nulls, at: begin + nulls, content: line.length > maxLineBytes ? line.length : line };
  });
  const last = content.toString('latin1').split('\n').at(-1)!;
  const nullBytes = taken.reduce((sum, { nulls }) => sum + nulls, 0) + (unterminated ? 0 : last.length);
  return { taken, unterminated, lines: taken.length, nullBytes };
}

const CONTENT = fc
  .array(fc.oneof(fc.constantFrom(0, 0x0a, 0x0a, 0x20, 0x7b), fc.integer({ min: 0, max: 255 })), { maxLength: 60 })
  .map((bytes) => Buffer.from(bytes));

test('any bytes in any pieces give the same lines', () => {
  fc.assert(
    fc.property(
      CONTENT,
      fc.array(fc.nat(100), { maxLength: 12 }),
      fc.integer({ min: 1, max: 20 }),
      (bytes, cuts, max) => {
        assert.deepEqual(split(bytes, cuts, max), reference(bytes, max));
      },
    ),
    { numRuns: 2000 },
  );
});

test('a line of exactly the limit is held, one of a byte more is only counted', () => {
  for (const cuts of [[], [3], [1, 2, 3, 4, 5, 6]]) {
    assert.deepEqual(
      split(Buffer.from('abcde\nabcdef\nx'), cuts, 5).taken.map(({ content }) => content),
      ['abcde', 6, 'x'],
    );
  }
});
