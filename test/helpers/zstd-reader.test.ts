import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { compareArchive } from './archive-reader.ts';
import { hashLine, LineMultiset } from './line-multiset.ts';
import { DamagedZstd, readZstd } from './zstd-reader.ts';

async function content(path: string): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of readZstd(path)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('frames are read one after another, and a file that ends within one is damaged', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'auditail-zstd-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'a.zst');
  const first = zstdCompressSync('one\n');
  const whole = Buffer.concat([first, zstdCompressSync('two\n')]);
  writeFileSync(path, whole);
  assert.equal(await content(path), 'one\ntwo\n');

  const expected = new LineMultiset();
  for (const line of ['one', 'two']) expected.expect(hashLine(line));
  for (let length = 1; length < whole.length; length += 1) {
    // The decoder passes over what is too short to be told for another frame.
    if (length >= first.length && length < first.length + 4) continue;
    writeFileSync(path, whole.subarray(0, length));
    await assert.rejects(content(path), DamagedZstd, `${length} bytes`);
  }
  const { files, lost } = await compareArchive(directory, expected);
  assert.match(files[0]!.damage!, /a\.zst: /);
  assert.equal(lost, 1);
});
