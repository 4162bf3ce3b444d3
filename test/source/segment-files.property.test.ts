import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { GzipFile } from '../../src/source/gzip-file.ts';
import { PlainFile } from '../../src/source/plain-file.ts';
import type { SegmentFile } from '../../src/source/segment-file.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-files-'));
after(() => fs.rmSync(dir, { recursive: true }));

/** Some compress well, some not at all; together up to about a megabyte, several of the inflater's chunks. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 1, max: 300_000 }).map((length) => Buffer.alloc(length, '{"kind":"Event","n":12345}\n')),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((pieces) => Buffer.concat(pieces));

/** Where to read, as parts of the content; a read may begin and end behind it. */
const reads = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1.1, noNaN: true }),
    length: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 600_000 })),
    into: fc.nat(100),
  }),
  { minLength: 1, maxLength: 12 },
);

interface Read {
  readonly at: number;
  readonly length: number;
  readonly into: number;
}

async function assertReads(file: SegmentFile, expected: Buffer, wanted: readonly Read[]): Promise<void> {
  for (const { at, length, into } of wanted) {
    const offset = Math.floor(expected.length * at);
    const buffer = Buffer.alloc(into + length + 10, 0xee);
    const count = await file.read(offset, buffer, into, length);
    const there = expected.subarray(offset, offset + length);
    assert.equal(count, there.length, `${length} bytes at ${offset} of ${expected.length}`);
    assert.ok(buffer.subarray(into, into + count).equals(there), `${length} bytes at ${offset}`);
    assert.ok(
      buffer.subarray(0, into).every((byte) => byte === 0xee),
      'wrote before its place',
    );
    assert.ok(
      buffer.subarray(into + count).every((byte) => byte === 0xee),
      'wrote behind its place',
    );
  }
}

test('a plain file gives any range, also of what is appended later', async () => {
  const name = path.join(dir, 'audit.log');
  await fc.assert(
    fc.asyncProperty(content, content, reads, async (first, more, wanted) => {
      fs.writeFileSync(name, first);
      const file = await PlainFile.open(name);
      try {
        await assertReads(file, first, wanted);
        assert.equal((await file.stat()).size, first.length);
        fs.appendFileSync(name, more);
        await assertReads(file, Buffer.concat([first, more]), wanted);
        fs.rmSync(name);
        await assertReads(file, Buffer.concat([first, more]), wanted);
        assert.equal((await file.stat()).links, 0);
      } finally {
        await file.close();
      }
    }),
    fuzz(25),
  );
});

test('a gzip part of any members gives any range of its content, forward and back', async () => {
  const name = path.join(dir, 'audit.log.gz');
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(content, cuts, fc.integer({ min: 0, max: 9 }), reads, async (all, parts, level, wanted) => {
      const bounds = [0, ...parts.map((part) => Math.floor(part * all.length)).sort((a, b) => a - b), all.length];
      const members = bounds.slice(1).map((end, index) => gzipSync(all.subarray(bounds[index], end), { level }));
      fs.writeFileSync(name, Buffer.concat(members));
      const file = await GzipFile.open(name);
      try {
        await assertReads(file, all, wanted);
        assert.equal((await file.stat()).size, all.length);
        assert.equal(await file.damage(), undefined);
        fs.rmSync(name);
        await assertReads(file, all, wanted);
      } finally {
        await file.close();
      }
    }),
    fuzz(25),
  );
});

test('a cut or damaged gzip part gives a beginning of its content, the same in each read', async () => {
  const name = path.join(dir, 'damaged.log.gz');
  const damage = fc.record({ at: fc.double({ min: 0, max: 0.999, noNaN: true }), flip: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(content, damage, reads, async (all, { at, flip }, wanted) => {
      const whole = gzipSync(all);
      const place = Math.floor(whole.length * at);
      // A byte is changed, or the rest is missing.
      const bytes = flip === 0 ? whole.subarray(0, place) : Buffer.from(whole);
      if (flip !== 0) bytes[place]! ^= flip;
      fs.writeFileSync(name, bytes);
      const file = await GzipFile.open(name);
      try {
        const { size } = await file.stat();
        const there = Buffer.alloc(size);
        assert.equal(await file.read(0, there, 0, size), size);
        await assertReads(file, there, wanted);
        assert.equal(await file.read(size, Buffer.alloc(1), 0, 1), 0);
        // What is cut off comes out right; a changed byte may also change the content, or only the header.
        if (flip === 0) {
          assert.ok(all.subarray(0, size).equals(there), `${size} bytes of ${all.length}`);
          if (place > 0) assert.notEqual(await file.damage(), undefined);
        } else if ((await file.damage()) === undefined) {
          assert.ok(all.equals(there));
        }
      } finally {
        await file.close();
      }
    }),
    fuzz(40),
  );
});
