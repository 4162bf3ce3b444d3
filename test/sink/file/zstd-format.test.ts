import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { blocksOfFrame, WINDOW_BYTES, zstdFormat } from '../../../src/sink/file/zstd-format.ts';
import { needsHistory } from '../../../src/sink/file/zstd-history.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';

const DICTIONARY_BYTES = 32 * 1024;
const compress = zstdFormat.compress!;

/** Text that copies from itself, mostly from where a compressor believes that it did so last: 1, 4 and 8 bytes before. */
const piece = fc
  .array(
    fc.oneof(
      fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) }),
      fc.record({ letters: fc.string({ unit: fc.constantFrom('a', 'b', '0'), minLength: 1, maxLength: 30 }) }),
      fc.record({
        back: fc.oneof(fc.constantFrom(1, 4, 8), fc.integer({ min: 1, max: 40_000 })),
        length: fc.oneof(fc.integer({ min: 3, max: 70 }), fc.integer({ min: 100, max: 20_000 })),
      }),
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => (before: Buffer): Buffer => {
    const text = Buffer.alloc(before.length + steps.length * 20_000);
    before.copy(text);
    let at = before.length;
    for (const step of steps) {
      if ('bytes' in step) for (const byte of step.bytes) text[at++] = byte;
      else if ('letters' in step) at += text.write(step.letters, at);
      else for (let n = 0; n < step.length; n += 1) text[at++] = text[at - 1 - Math.min(step.back, at - 1)] ?? 0;
    }
    return Buffer.from(text.subarray(before.length, at));
  });

const file = fc.record({
  pieces: fc.array(piece, { minLength: 1, maxLength: 6 }),
  /** Pieces that come when the file's dictionary is forgotten. */
  forgotten: fc.nat(5),
  level: fc.constantFrom(1, 2, 3, 5, 7, 9, 12, 15, 19),
});

function dictionaryOf(content: Buffer): Buffer {
  return content.subarray(Math.max(0, content.length - DICTIONARY_BYTES));
}

test('whatever pieces are joined, zlib and the zstd program read them as one frame', async (t) => {
  const files: Buffer[] = [];
  let expected = Buffer.alloc(0);
  await fc.assert(
    fc.asyncProperty(file, async ({ pieces, forgotten, level }) => {
      let content = Buffer.alloc(0);
      const parts = [zstdFormat.header];
      for (const [index, make] of pieces.entries()) {
        const added = make(content);
        const startsMember = index === 0;
        const dictionary = startsMember || index === forgotten ? undefined : dictionaryOf(content);
        parts.push(await compress({ content: added, dictionary, startsMember, level }));
        content = Buffer.concat([content, added]);
      }
      const joined = Buffer.concat([...parts, zstdFormat.trailer(0, 0)]);
      assert.ok(zlib.zstdDecompressSync(joined).equals(content));
      files.push(joined);
      expected = Buffer.concat([expected, content]);
    }),
    fuzz(150),
  );
  // Each file is one frame: many of them one after another are a file, too.
  const { stdout, stderr, error } = spawnSync('zstd', ['-q', '-dc'], {
    input: Buffer.concat(files),
    maxBuffer: 1 << 30,
  });
  if (error !== undefined) t.diagnostic(`the zstd program was not asked: ${error.message}`);
  else assert.ok(stdout.equals(expected), String(stderr));
});

test('blocks that are joined although they need more than content are read as something else', () => {
  let needy = 0;
  let damaged = 0;
  fc.assert(
    fc.property(piece, piece, (first, second) => {
      const before = first(Buffer.alloc(0));
      const content = second(before);
      const options = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };
      const blocks = blocksOfFrame(zlib.zstdCompressSync(content, { ...options, dictionary: dictionaryOf(before) }));
      const joined = Buffer.concat([
        zstdFormat.header,
        blocksOfFrame(zlib.zstdCompressSync(before, options)),
        blocks,
        zstdFormat.trailer(0, 0),
      ]);
      const isRead = reads(joined, Buffer.concat([before, content]));
      if (needsHistory(blocks)) needy += 1;
      else assert.ok(isRead);
      if (!isRead) damaged += 1;
    }),
    fuzz(300),
  );
  assert.ok(damaged > 0 && needy >= damaged, `${needy} need history, ${damaged} are damaged`);
});

function reads(bytes: Buffer, content: Buffer): boolean {
  try {
    return zlib.zstdDecompressSync(bytes).equals(content);
  } catch {
    return false;
  }
}

test('a piece that always repeats the same few bytes is stored where it cannot be joined, and no larger than it is', async () => {
  for (const length of [1, 100, 5_000, 300_000]) {
    const dictionary = Buffer.alloc(100, 'x');
    const first = await compress({ content: dictionary, dictionary: undefined, startsMember: true, level: 19 });
    const content = Buffer.alloc(length, 'x');
    const second = await compress({ content, dictionary, startsMember: false, level: 19 });
    assert.ok(second.length <= length + 3 * Math.ceil(length / 131_072), `${length}: ${second.length}`);
    const joined = Buffer.concat([zstdFormat.header, first, second, zstdFormat.trailer(0, 0)]);
    assert.ok(zlib.zstdDecompressSync(joined).equals(Buffer.concat([dictionary, content])));
  }
});

test('content that begins like a dictionary with tables is taken as content', async () => {
  const magic = Buffer.from([0x37, 0xa4, 0x30, 0xec]);
  for (const dictionary of [magic, Buffer.concat([magic, Buffer.from('some text that comes again'.repeat(20))])]) {
    const content = Buffer.concat([Buffer.from('some text that comes again'), dictionary]);
    const first = await compress({ content: dictionary, dictionary: undefined, startsMember: true, level: 1 });
    const second = await compress({ content, dictionary, startsMember: false, level: 1 });
    const joined = Buffer.concat([zstdFormat.header, first, second, zstdFormat.trailer(0, 0)]);
    assert.ok(zlib.zstdDecompressSync(joined).equals(Buffer.concat([dictionary, content])));
  }
});

test('a piece is at most what the window holds', async () => {
  const dictionary = Buffer.alloc(10);
  const content = Buffer.alloc(WINDOW_BYTES - 9);
  await assert.rejects(compress({ content, dictionary, startsMember: false, level: 1 }), RangeError);
});

test('what is no sequence of blocks needs history, and nothing worse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      // A compressed block of just these bytes.
      const header = Buffer.alloc(3);
      header.writeUIntLE((bytes.length << 3) | 4, 0, 3);
      assert.equal(typeof needsHistory(Buffer.concat([header, bytes])), 'boolean');
    }),
    fuzz(2000),
  );
  assert.equal(needsHistory(Buffer.from([0x04])), true);
});
