import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockBuffers } from '../../../src/sink/file/block-buffers.ts';

const KIB = 1024;

test('a buffer has room for what is wanted, up to a block', () => {
  const buffers = new BlockBuffers(512 * KIB, 64 * KIB * KIB);
  for (const [wanted, size] of [
    [1, 4],
    [4 * KIB, 4],
    [4 * KIB + 1, 8],
    [300 * KIB, 512],
    [900 * KIB, 512],
  ] as const) {
    assert.equal(buffers.allocate(wanted).length, size * KIB);
  }
});

test('a block that is no power of two is the largest buffer all the same', () => {
  const buffers = new BlockBuffers(100 * KIB, 64 * KIB * KIB);
  assert.equal(buffers.allocate(99 * KIB).length, 100 * KIB);
  assert.equal(buffers.allocate(30 * KIB).length, 32 * KIB);
});

test('what was released is given again, whole, to who wants that size', () => {
  const buffers = new BlockBuffers(512 * KIB, 64 * KIB * KIB);
  const first = buffers.allocate(100 * KIB);
  buffers.release(first.subarray(0, 10));
  assert.equal(buffers.spareBytes, 128 * KIB);
  assert.notEqual(buffers.allocate(10 * KIB).buffer, first.buffer);
  const again = buffers.allocate(128 * KIB);
  assert.equal(again.buffer, first.buffer);
  assert.equal(again.length, 128 * KIB);
  assert.equal(buffers.spareBytes, 0);
});

test('a quarter of the memory limit may be spare', () => {
  const buffers = new BlockBuffers(512 * KIB, 8 * KIB * KIB);
  const held = Array.from({ length: 10 }, () => buffers.allocate(512 * KIB));
  for (const buffer of held) buffers.release(buffer);
  assert.equal(buffers.spareBytes, 2 * KIB * KIB);
});

test('what nobody needed between two trims is let go', () => {
  const buffers = new BlockBuffers(512 * KIB, 64 * KIB * KIB);
  const held = Array.from({ length: 4 }, () => buffers.allocate(512 * KIB));
  for (const buffer of held) buffers.release(buffer);
  buffers.trim();
  // All four were needed since the last time.
  assert.equal(buffers.spareBytes, 2 * KIB * KIB);
  buffers.release(buffers.allocate(512 * KIB));
  buffers.trim();
  assert.equal(buffers.spareBytes, 512 * KIB);
  buffers.trim();
  assert.equal(buffers.spareBytes, 0);
});

test('memory that is not kept is free at once, not with some collection', () => {
  const buffers = new BlockBuffers(512 * KIB, 8 * KIB * KIB);
  const held = Array.from({ length: 60 }, () => buffers.allocate(512 * KIB));
  const before = process.memoryUsage().arrayBuffers;
  for (const buffer of held) buffers.release(buffer);
  const kept = 2 * KIB * KIB;
  const freed = before - process.memoryUsage().arrayBuffers;
  assert.ok(freed >= 60 * 512 * KIB - kept - KIB * KIB, `${freed} bytes`);
  buffers.trim();
  buffers.trim();
  assert.ok(before - process.memoryUsage().arrayBuffers >= 59 * 512 * KIB);
});
