import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../src/checkpoint/database.ts';
import { type SegmentProgress, SegmentRecords, type SegmentRow } from '../../src/checkpoint/segment-records.ts';
import { tempDatabase } from './temp-state.ts';

const ROW: Omit<SegmentRow, 'id' | 'stream'> = {
  device: 1n,
  inode: 2n,
  head: 'aa',
  path: '/log/audit.log',
  sizeSeen: 0,
  mayGrow: false,
  firstTime: undefined,
  lastTime: undefined,
  finished: false,
  headOf: undefined,
  headBytes: 0,
};

function records(db: Database): { segments: SegmentRecords; stream: number } {
  const segments = new SegmentRecords(db);
  return { segments, stream: segments.streamId('apiserver', '/log/audit.log') };
}

function progress(id: number, offset: number, more: Partial<SegmentProgress> = {}): SegmentProgress {
  return {
    id,
    sizeSeen: offset,
    firstTime: 1,
    lastTime: 2,
    finished: false,
    headOf: undefined,
    headBytes: 0,
    offsets: new Map([['archive', offset]]),
    anchor: { offset, length: Math.min(offset, 1024), hash: `hash ${offset}`, lines: Buffer.from([offset % 256]) },
    ...more,
  };
}

test('devices and inodes are exact over the whole of 64 bits', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const numbers = [0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const number of numbers) {
    const id = segments.add({ ...ROW, stream, device: number, inode: number }, new Map(), 0);
    const row = segments.segments(stream).find((one) => one.id === id)!;
    assert.deepEqual([row.device, row.inode], [number, number]);
    segments.relocate(id, { device: number - 1n, inode: number, path: '/other', sizeSeen: 0, mayGrow: true });
    const moved = segments.segments(stream).find((one) => one.id === id)!;
    assert.deepEqual([moved.device, moved.mayGrow], [number - 1n, true]);
  }
});

test('a stream has one id, and sources do not share it', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  assert.equal(segments.streamId('apiserver', '/log/audit.log'), stream);
  const other = segments.streamId('other', '/log/audit.log');
  assert.notEqual(other, stream);
  assert.deepEqual(segments.streams('other'), [{ id: other, path: '/log/audit.log' }]);
});

test('a segment comes back as it was stored, with the offset that each sink begins at', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const row = { ...ROW, stream, sizeSeen: 2 ** 45, firstTime: 1_790_000_000_000, finished: true };
  const id = segments.add(row, new Map(Object.entries({ archive: 2 ** 45, other: 0 })), 5);
  assert.deepEqual(segments.segments(stream), [{ ...row, id }]);
  assert.deepEqual([...segments.offsets(id)].sort(), [
    ['archive', 2 ** 45],
    ['other', 0],
  ]);
  assert.deepEqual([...segments.offsets(id + 1)], []);
});

test('the newest 64 anchors are kept, in the order of their offsets', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const id = segments.add({ ...ROW, stream }, new Map(), 0);
  const other = segments.add({ ...ROW, stream, inode: 3n }, new Map(), 0);
  segments.saveProgress([progress(other, 7)], 0);
  for (let n = 1; n <= 64; n += 1) segments.saveProgress([progress(id, n * 10)], 0);
  assert.equal(segments.anchors(id).length, 64);
  segments.saveProgress([progress(id, 650)], 0);
  const offsets = segments.anchors(id).map(({ offset }) => offset);
  assert.deepEqual(
    offsets,
    Array.from({ length: 64 }, (_, n) => (n + 2) * 10),
  );
  assert.deepEqual(segments.anchors(id).at(-1), progress(id, 650).anchor);
  assert.equal(segments.anchors(other).length, 1);
});

test('two commits at one offset leave one anchor', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const id = segments.add({ ...ROW, stream }, new Map(), 0);
  segments.saveProgress([progress(id, 10)], 0);
  segments.saveProgress([progress(id, 10, { anchor: { offset: 10, length: 10, hash: 'new', lines: undefined } })], 0);
  assert.deepEqual(segments.anchors(id), [{ offset: 10, length: 10, hash: 'new', lines: undefined }]);
});

test('a commit at the same offset that read nothing keeps the lines of the anchor', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const id = segments.add({ ...ROW, stream }, new Map(), 0);
  const { anchor } = progress(id, 10);
  segments.saveProgress([progress(id, 10)], 0);
  segments.saveProgress([progress(id, 10, { anchor: { ...anchor!, lines: undefined } })], 0);
  assert.deepEqual(segments.anchors(id), [anchor]);
});

for (const order of ['oldest', 'newest'] as const) {
  test(`finished segments keep their anchors, and the newest four their lines (finished ${order} first)`, (t) => {
    const { segments, stream } = records(tempDatabase(t));
    const other = segments.add({ ...ROW, stream: segments.streamId('other', '/log') }, new Map(), 0);
    segments.saveProgress([progress(other, 10, { finished: true })], 0);
    const ids = Array.from({ length: 12 }, () => segments.add({ ...ROW, stream }, new Map(), 0));
    for (const id of ids) segments.saveProgress([progress(id, 10)], 0);
    for (const id of order === 'oldest' ? ids : ids.toReversed()) {
      segments.saveProgress([progress(id, 20, { finished: true })], 0);
    }
    const anchors = ids.map((id) => segments.anchors(id));
    assert.ok(anchors.every((one) => one.length === 2));
    const withLines = anchors.map((one) => one.every(({ lines }) => lines !== undefined));
    assert.deepEqual(withLines, [...Array<boolean>(8).fill(false), ...Array<boolean>(4).fill(true)]);
    assert.ok(anchors.slice(0, 8).every((one) => one.every(({ lines }) => lines === undefined)));
    assert.notEqual(segments.anchors(other)[0]!.lines, undefined);
    assert.ok(segments.segments(stream).every(({ finished }) => finished));
  });
}

test('cutting back takes offsets, anchors and the end with it, and never moves an offset forward', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const id = segments.add({ ...ROW, stream }, new Map(), 0);
  for (const offset of [10, 20, 30]) segments.saveProgress([progress(id, offset)], 0);
  const offsets = new Map(Object.entries({ archive: 30, behind: 5 }));
  segments.saveProgress([progress(id, 40, { offsets, finished: true })], 0);
  segments.cutBack(id, 20);
  assert.deepEqual(Object.fromEntries(segments.offsets(id)), { archive: 20, behind: 5 });
  assert.deepEqual(
    segments.anchors(id).map(({ offset }) => offset),
    [10, 20],
  );
  const [row] = segments.segments(stream);
  assert.deepEqual([row!.sizeSeen, row!.finished], [20, false]);
  const anchor = { offset: 15, length: 15, hash: 'at 15', lines: Buffer.from([1]) };
  segments.cutBack(id, 15, anchor);
  assert.deepEqual(segments.anchors(id).slice(1), [anchor]);
});

test('what is forgotten takes its offsets and anchors with it', (t) => {
  const db = tempDatabase(t);
  const { segments, stream } = records(db);
  const id = segments.add({ ...ROW, stream }, new Map([['archive', 0]]), 0);
  const kept = segments.add({ ...ROW, stream, inode: 9n }, new Map([['archive', 3]]), 0);
  segments.saveProgress([progress(id, 10)], 0);
  segments.forget([id]);
  assert.deepEqual(
    segments.segments(stream).map((row) => row.id),
    [kept],
  );
  assert.equal(db.prepare('SELECT count(*) FROM offsets').pluck().get(), 1);
  assert.equal(db.prepare('SELECT count(*) FROM anchors').pluck().get(), 0);
});

test('a source is started once', (t) => {
  const { segments } = records(tempDatabase(t));
  assert.equal(segments.wasStarted('apiserver'), false);
  segments.markStarted('apiserver', 1);
  segments.markStarted('apiserver', 2);
  assert.equal(segments.wasStarted('apiserver'), true);
  assert.equal(segments.wasStarted('other'), false);
});

test('what of a segment belongs to the one before is stored, and cut back with it', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const before = segments.add({ ...ROW, stream }, new Map(), 0);
  const id = segments.add({ ...ROW, stream, inode: 3n }, new Map(), 0);
  segments.saveProgress([progress(id, 500, { headOf: before, headBytes: 120 })], 0);
  const head = () => {
    const { headOf, headBytes } = segments.segments(stream).find((one) => one.id === id)!;
    return { headOf, headBytes };
  };
  assert.deepEqual(head(), { headOf: before, headBytes: 120 });
  segments.cutBack(id, 200);
  assert.deepEqual(head(), { headOf: before, headBytes: 120 });
  segments.cutBack(id, 80);
  assert.deepEqual(head(), { headOf: before, headBytes: 80 });
});

test('what a sink has taken by now is stored for itself alone, and not for a segment that was forgotten', (t) => {
  const { segments, stream } = records(tempDatabase(t));
  const offsets = new Map(Object.entries({ archive: 0, es: 0 }));
  const [one, other] = [segments.add({ ...ROW, stream }, offsets, 0), segments.add({ ...ROW, stream }, offsets, 0)];
  segments.forget([other]);
  segments.saveTaken('es', [
    [one, 70],
    [other, 50],
  ]);
  segments.saveTaken('new', [[one, 30]]);
  assert.deepEqual(Object.fromEntries(segments.offsets(one)), { archive: 0, es: 70, new: 30 });
  assert.equal(segments.offsets(other).size, 0);
});
