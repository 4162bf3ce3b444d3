import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { zstdFormat } from '../../../src/sink/file/zstd-format.ts';

test('any pieces at any level make a file that reads as what went in, with the dictionaries of other formats at hand', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 5_000, size: 'max' }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(1, 3, 9),
      async (pieces, level) => {
        const frames: Buffer[] = [zstdFormat.header];
        for (const [index, piece] of pieces.entries()) {
          const content = Buffer.from(piece);
          const dictionary = index === 0 ? undefined : Buffer.from(pieces[index - 1]!);
          frames.push(await zstdFormat.codec!.compress({ content, dictionary, startsMember: index === 0, level }));
          assert.deepEqual(zlib.zstdDecompressSync(Buffer.concat(frames)), Buffer.concat(pieces.slice(0, index + 1)));
        }
      },
    ),
  );
});

test('a byte that is not as it was written is found by whoever reads', async () => {
  const content = Buffer.from('{"kind":"Event"}\n'.repeat(50));
  const frame = await zstdFormat.codec!.compress({ content, dictionary: undefined, startsMember: true, level: 1 });
  frame[frame.length - 1]! ^= 1;
  assert.throws(() => zlib.zstdDecompressSync(frame));
});
