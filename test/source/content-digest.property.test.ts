import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import xxhash from 'xxhash-wasm';
import { EventScanner } from '../../src/event/scanner.ts';
import { LoadedContent, PieceDigest } from '../../src/source/content-digest.ts';

const { h64Raw } = await xxhash();

/** By another implementation. */
function reference(content: Uint8Array): number {
  return Number(h64Raw(content) & 0xffff_ffffn);
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .uint8Array({ minLength: 1, maxLength: 50 })
    .chain((bytes) => fc.nat({ max: 60_000 }).map((length) => new Uint8Array(Buffer.alloc(length, bytes)))),
);

test('digests are those of XXH64, of content that is loaded, that stands in the memory, and that comes in pieces', () => {
  const loaded = new LoadedContent();
  const inPieces = new PieceDigest();
  const { chunk } = new EventScanner([], 4 * 1024 * 1024);
  fc.assert(
    fc.property(content, fc.nat(), fc.nat(), fc.array(fc.nat({ max: 100_000 })), (bytes, one, other, cuts) => {
      const buffer = Buffer.from(bytes);
      const [start, end] = [one % (bytes.length + 1), other % (bytes.length + 1)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      const expected = reference(buffer.subarray(start, end));
      loaded.load(buffer, start, end);
      assert.equal(loaded.digest(start, end), expected);
      loaded.load(buffer, 0, buffer.length);
      assert.equal(loaded.digest(start, end), expected);
      buffer.copy(chunk.buffer, 7);
      loaded.load(chunk.buffer, 7, 7 + buffer.length, chunk);
      buffer.fill(0);
      assert.equal(loaded.digest(7 + start, 7 + end), expected, 'where it stands');
      Buffer.from(bytes).copy(buffer);
      let at = start;
      for (const cut of cuts.map((one) => start + (one % (end - start + 1))).sort((a, b) => a - b)) {
        inPieces.add(buffer, at, cut);
        at = cut;
      }
      assert.equal(inPieces.add(buffer, at, end).end(), expected);
    }),
    { numRuns: 3000 },
  );
});

test('content of any size is loaded and added, and what was not loaded has no digest', () => {
  const loaded = new LoadedContent();
  for (const size of [5_000_000, 100, 1_200_000, 0, 9_000_000]) {
    const buffer = Buffer.alloc(size, 'some text, and more of it ');
    loaded.load(buffer, 0, size);
    assert.equal(loaded.digest(0, size), reference(buffer), `${size} bytes`);
    assert.equal(new PieceDigest().add(buffer).end(), reference(buffer), `${size} bytes`);
    assert.throws(() => loaded.digest(0, size + 1), RangeError);
  }
});
