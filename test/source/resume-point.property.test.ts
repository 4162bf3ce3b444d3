import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Anchor } from '../../src/checkpoint/segment-records.ts';
import { contentHash } from '../../src/source/head.ts';
import { LineDigests } from '../../src/source/line-digests.ts';
import { findResumePoint } from '../../src/source/resume-point.ts';
import { ANCHOR_BYTES } from '../../src/source/segment.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { ShortReadFile } from './short-read-file.ts';

/** What commits after these numbers of lines stored. */
function committed(content: Buffer, ends: readonly number[], commits: readonly number[]): Anchor[] {
  const digests = new LineDigests();
  const anchors: Anchor[] = [];
  let line = 0;
  let at = 0;
  for (const count of commits) {
    for (; line < count; line += 1) {
      digests.load(content, at, ends[line]!).add(at, ends[line]!);
      at = ends[line]!;
    }
    const before = content.subarray(Math.max(0, at - ANCHOR_BYTES), at);
    anchors.push({ offset: at, length: before.length, hash: contentHash(before), lines: digests.take() });
  }
  return anchors;
}

const lines = fc.array(fc.oneof(fc.string({ maxLength: 30 }), fc.constant('x'.repeat(700))), {
  minLength: 1,
  maxLength: 40,
});

test('a log that was cut back is resumed at the first line that differs, and again after another cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      lines,
      fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      async (texts, points, cut, within, again) => {
        // Each line has its number, so that no two are alike.
        const written = texts.map((text, n) => Buffer.from(`${n}:${text.replaceAll('\n', '')}\n`));
        const content = Buffer.concat(written);
        const ends = written.map((_, n) => written.slice(0, n + 1).reduce((sum, { length }) => sum + length, 0));
        const commits = [...new Set([...points.map((point) => 1 + (point % written.length)), written.length])].sort(
          (a, b) => a - b,
        );
        const anchors = committed(content, ends, commits);

        /** The whole lines that are left when `bytes` of the content are. */
        const resumeFor = (bytes: number) => ends.findLast((end) => end <= bytes) ?? 0;
        const read = async (bytes: number, stored: readonly Anchor[]) => {
          const file = new ShortReadFile(
            Buffer.concat([content.subarray(0, bytes), Buffer.from('#another line\n'.repeat(200))]),
            [5000, 300, 1],
          );
          file.size = file.content.length;
          return findResumePoint(file, stored);
        };
        const left = cut % content.length;
        const first = await read(left, anchors);
        assert.equal(first.offset, resumeFor(left), `cut to ${left}`);

        // What a commit of the resumption would leave, and a second cut in front of it.
        const chain = [
          ...anchors.filter(({ offset }) => offset <= first.offset),
          ...(first.anchor === undefined ? [] : [first.anchor]),
        ];
        assert.equal(chain.at(-1)?.offset ?? 0, first.offset);
        const fewer = (within + again) % (left + 1);
        assert.equal(
          (await read(fewer, chain)).offset,
          Math.min(resumeFor(fewer), first.offset),
          `then cut to ${fewer}`,
        );
      },
    ),
    fuzz(150),
  );
});

test('where the lines before the oldest anchor are not known, everything is read again', async () => {
  const content = Buffer.from('a\nb\nc\nd\n');
  const anchors = committed(content, [2, 4, 6, 8], [2, 4]).slice(1);
  const file = new ShortReadFile(Buffer.from('a\nb\nc\nX\n'), [5000]);
  file.size = 8;
  assert.deepEqual(await findResumePoint(file, anchors), { offset: 0, anchor: undefined });
});

test('a line that takes several reads is compared whole', async () => {
  const long = Buffer.from(`${'x'.repeat(600_000)}\n`);
  const anchors = committed(Buffer.concat([long, Buffer.from('b\n')]), [long.length, long.length + 2], [2]);
  for (const [changed, expected] of [
    [long, long.length],
    [Buffer.concat([long.subarray(0, -2), Buffer.from('y\n')]), 0],
  ] as const) {
    const file = new ShortReadFile(Buffer.concat([changed, Buffer.from('c\n')]), [300_000]);
    file.size = file.content.length;
    assert.equal((await findResumePoint(file, anchors)).offset, expected);
  }
});
