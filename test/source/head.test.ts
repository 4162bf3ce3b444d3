import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contentHash, HEAD_BYTES, headHash, readHead, skipNulls } from '../../src/source/head.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { ShortReadFile } from './short-read-file.ts';

function head(content: Buffer | string, complete = false) {
  const bytes = Buffer.from(content);
  const file = new ShortReadFile(bytes, [Number.POSITIVE_INFINITY]);
  file.size = bytes.length;
  return readHead(file, { complete });
}

test('the head is the first line, and does not change as the file grows', async () => {
  const first = await head('{"a":1}\n');
  assert.deepEqual(first, await head('{"a":1}\n{"b":2}\n'));
  assert.equal(first?.hash, contentHash(Buffer.from('{"a":1}')));
  assert.notEqual(first?.hash, (await head('{"a":2}\n'))?.hash);
});

test('of a long first line it is the first 1024 bytes', async () => {
  const long = 'x'.repeat(HEAD_BYTES);
  const [exact, longer] = [await head(long), await head(`${long}y\nz`)];
  assert.equal(exact?.hash, longer?.hash);
  assert.notEqual(exact, undefined);
  assert.notEqual((await head(`${'x'.repeat(HEAD_BYTES - 1)}\n`))?.hash, exact?.hash);
});

test('a short beginning without newline has no head, unless the file will not grow', async () => {
  assert.equal(await head('{"a":'), undefined);
  assert.equal(await head(''), undefined);
  assert.equal(await head('', true), undefined);
  assert.equal(await head('x'.repeat(HEAD_BYTES - 1)), undefined);
  assert.equal((await head('{"a":', true))?.hash, contentHash(Buffer.from('{"a":')));
});

test('NULs before the first line are not part of it, however many they are', async () => {
  const plain = await head('{"a":1}\n');
  for (const count of [1, 1023, 1024, 262_143, 262_144, 262_145, 1_000_000]) {
    const behind = await head(Buffer.concat([Buffer.alloc(count), Buffer.from('{"a":1}\n')]));
    assert.deepEqual([behind?.hash, behind?.nulls], [plain?.hash, count]);
  }
  assert.equal(await head(Buffer.alloc(5000), true), undefined);
  assert.equal(await head(Buffer.alloc(300_000)), undefined);
});

test('the bytes alone tell the head: invalid UTF-8 is not mixed up', () => {
  assert.notEqual(headHash(Buffer.from([0xff, 0x0a])), headHash(Buffer.from([0xfe, 0x0a])));
  assert.notEqual(headHash(Buffer.from([0xff, 0x0a])), headHash(Buffer.from('\ufffd\n')));
});

test('skipping NULs stops at the first other byte, and at the end', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.uint8Array({ maxLength: 20 }), fc.nat(70), (count, rest, start) => {
      const bytes = Buffer.concat([Buffer.alloc(count), rest]);
      const from = Math.min(start, bytes.length);
      const expected = bytes.findIndex((byte, at) => at >= from && byte !== 0);
      assert.equal(skipNulls(bytes, from, bytes.length), expected < 0 ? bytes.length : expected);
    }),
    fuzz(100),
  );
});
