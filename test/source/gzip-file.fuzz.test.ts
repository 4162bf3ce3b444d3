import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { auditLines } from '../../bench/audit-lines.ts';
import { GzipFile } from '../../src/source/gzip-file.ts';
import { readHead } from '../../src/source/head.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { mutated } from '../helpers/mutations.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-gzip-'));
after(() => fs.rmSync(dir, { recursive: true }));

const MIB = 1024 * 1024;
const lines = Buffer.concat(auditLines(20_000).flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));

/** The seeds: one member, two of them, one with each field that a header may have, and one with nothing in it. */
const parts = [
  gzipSync(lines),
  Buffer.concat([gzipSync(lines.subarray(0, 5000)), gzipSync(lines.subarray(5000), { level: 0 })]),
  withFields(gzipSync(lines)),
  gzipSync(Buffer.alloc(0)),
];

/** FEXTRA, FNAME, FCOMMENT (RFC 1952, section 2.3), which programs may add. */
function withFields(part: Buffer): Buffer {
  const header = Buffer.from(part.subarray(0, 10));
  header[3] = 0x04 | 0x08 | 0x10;
  return Buffer.concat([header, Buffer.from([4, 0, 1, 2, 3, 4]), Buffer.from('a.log\0a comment\0'), part.subarray(10)]);
}

test('a damaged part gives the same bytes in each read, however it is damaged', async () => {
  const name = path.join(dir, 'part.log.gz');
  const tokens = ['\x1f\x8b\x08\0', '\x1f\x8b\x08\x1c\0\0\0\0\0\x03\xff\xff', '\0\0\xff\xff', '\x03\0'];
  const property = fc.asyncProperty(mutated(parts, { tokens }), fc.nat(60_000), async (bytes, offset) => {
    fs.writeFileSync(name, bytes);
    const file = await GzipFile.open(name);
    try {
      const { size } = await file.stat();
      const all = Buffer.alloc(size + 10);
      assert.equal(await file.read(0, all, 0, size + 10), size);
      const again = Buffer.alloc(1000);
      const count = await file.read(offset, again, 0, 1000);
      assert.ok(again.subarray(0, count).equals(all.subarray(0, size).subarray(offset, offset + 1000)));
      const damage = await file.damage();
      assert.ok(damage === undefined || damage.length < 200);
      await readHead(file, { complete: true });
    } finally {
      await file.close();
    }
  });
  await fc.assert(property, fuzz(250));
});

test('a part that inflates to a thousand times its size is read in bounded memory', async () => {
  const name = path.join(dir, 'bomb.log.gz');
  // 96 MiB of nothing, whole, and the same with a broken end, which is inflated in small pieces.
  const bomb = gzipSync(Buffer.alloc(96 * MIB));
  for (const bytes of [bomb, bomb.subarray(0, -9)]) {
    fs.writeFileSync(name, bytes);
    const before = process.memoryUsage().rss;
    const file = await GzipFile.open(name);
    try {
      const { size } = await file.stat();
      assert.ok(size > 95 * MIB, `${size}`);
      const buffer = Buffer.alloc(1000);
      assert.equal(await file.read(size - 1000, buffer, 0, 1000), 1000);
      assert.equal((await readHead(file, { complete: true }))?.hash, undefined);
      assert.ok(process.memoryUsage().rss - before < 64 * MIB, 'memory grew');
    } finally {
      await file.close();
    }
  }
});
