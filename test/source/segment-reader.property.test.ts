import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChunkMemory } from '../../src/event/chunk-memory.ts';
import { EventScanner } from '../../src/event/scanner.ts';
import type { OpenSegment } from '../../src/source/active-segments.ts';
import { PieceDigest } from '../../src/source/content-digest.ts';
import { contentHash, headHash, skipNulls } from '../../src/source/head.ts';
import { digestEntries } from '../../src/source/line-digests.ts';
import type { LineHandler } from '../../src/source/line-handler.ts';
import { newSegmentReader } from '../../src/source/new-segment-reader.ts';
import { ANCHOR_BYTES, Segment } from '../../src/source/segment.ts';
import { CHUNK_BYTES, READ_BYTES, type SegmentReader } from '../../src/source/segment-reader.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { ShortReadFile } from './short-read-file.ts';

/** What a reader gives: a line, a long line in pieces, or NULs. The content is hashed where it is long. */
type Taken = string;

function describeTaken(kind: 'line' | 'long', offset: number, bytes: Buffer): Taken {
  const content = bytes.length > 200 ? `${bytes.length} bytes ${contentHash(bytes)}` : bytes.toString('latin1');
  return `${kind} ${offset} ${content}`;
}

/** The same, told in the plainest way. */
function reference(content: Buffer, maxLineBytes: number, options: { finish: boolean }) {
  const taken: Taken[] = [];
  let nulls = 0;
  let at = 0;
  const take = (begin: number, end: number) =>
    taken.push(describeTaken(end - begin > maxLineBytes ? 'long' : 'line', begin, content.subarray(begin, end)));
  for (;;) {
    const begin = skipNulls(content, at, content.length);
    nulls += begin - at;
    const newline = content.indexOf(0x0a, begin);
    if (begin === content.length || newline < 0) {
      if (options.finish && begin < content.length) take(begin, content.length);
      return { taken, nulls, position: options.finish ? content.length : begin };
    }
    take(begin, newline);
    at = newline + 1;
  }
}

const scanner = new EventScanner([], READ_BYTES);

class Recorder implements LineHandler {
  readonly memory: ChunkMemory | undefined;
  taken: Taken[] = [];
  nullCount = 0;

  constructor(memory?: ChunkMemory) {
    this.memory = memory;
  }

  line(_segment: Segment, buffer: Buffer, start: number, end: number, offset: number): void {
    this.taken.push(describeTaken('line', offset, buffer.subarray(start, end)));
  }

  async longLine(_segment: Segment, offset: number, length: number) {
    const pieces: Buffer[] = [];
    return {
      piece: async (buffer: Buffer, start: number, end: number) => {
        pieces.push(Buffer.from(buffer.subarray(start, end)));
      },
      end: async () => {
        const line = Buffer.concat(pieces);
        assert.equal(line.length, length);
        this.taken.push(describeTaken('long', offset, line));
      },
    };
  }

  badLine(): void {
    assert.fail('JSON lines have no wrapper');
  }

  passed(): void {
    assert.fail('nothing is passed over');
  }

  eventTime(): undefined {
    return undefined;
  }

  nulls(_segment: Segment, count: number): void {
    this.nullCount += count;
  }
}

function openSegment(file: ShortReadFile, live: boolean): OpenSegment {
  const begin = skipNulls(file.content, 0, file.content.length);
  const segment = new Segment(
    {
      id: 1,
      stream: 1,
      device: file.device,
      inode: file.inode,
      head: headHash(file.content.subarray(begin), true) ?? '',
      path: file.path,
      sizeSeen: 0,
      mayGrow: false,
      firstTime: undefined,
      lastTime: undefined,
      finished: false,
      headOf: undefined,
      headBytes: 0,
    },
    { live, sinks: [{ name: 'archive', pace: undefined }] },
  );
  segment.file = file;
  segment.restore([0], [], new Map());
  return segment as OpenSegment;
}

/** Reads to the end; the number of steps is bounded, so that a reader that stands still fails instead of hanging. */
async function readToEnd(reader: SegmentReader, segment: OpenSegment, afterStep: () => void): Promise<void> {
  const most = 64 + 4 * (await segment.file.stat()).size;
  for (let steps = 0; ; steps += 1) {
    assert.ok(steps < most, `${steps} steps`);
    const outcome = await reader.step(segment);
    assert.notEqual(outcome, 'changed');
    afterStep();
    if (outcome === 'end') return;
  }
}

/** The digests follow the content without a hole from `from` to the position. */
function assertDigests(segment: Segment, content: Buffer, from: number, stored: Buffer | undefined): void {
  let at = from;
  for (const { length, digest } of digestEntries(stored ?? Buffer.alloc(0))) {
    assert.equal(new PieceDigest().add(content, at, at + length).end(), digest, `digest of ${length} bytes at ${at}`);
    at += length;
  }
  assert.equal(at, segment.position);
}

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 60 }).map((text) => Buffer.from(text.replaceAll('\n', ' '))) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3000 }).map((length) => Buffer.alloc(length)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 6000 }).map((length) => Buffer.alloc(length, 'long line ')) },
  { weight: 5, arbitrary: fc.constant(Buffer.from('\n')) },
  { weight: 3, arbitrary: fc.constant(Buffer.from('{"a":1}\n')) },
);

/** Content with a head: before that no segment is begun. */
function hasHead(content: Buffer): boolean {
  return skipNulls(content, 0, content.length) < content.length;
}

const small = fc.record({
  content: fc
    .array(piece, { minLength: 1, maxLength: 40 })
    .map((pieces) => Buffer.concat(pieces))
    .filter(hasHead),
  growth: fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 8 }),
  maxLineBytes: fc.integer({ min: 1024, max: 5000 }),
});

/** Lines about as long as a chunk, which are rare and cost time. */
const large = fc.record({
  content: fc
    .array(fc.tuple(fc.integer({ min: CHUNK_BYTES - 1500, max: CHUNK_BYTES + 1500 }), fc.boolean(), fc.nat(3)), {
      minLength: 1,
      maxLength: 3,
    })
    .map((lines) =>
      Buffer.concat(
        lines.flatMap(([length, isNulls, short]) => [
          Buffer.alloc(length, isNulls ? '\0' : 'x'),
          Buffer.from('\n{"a":1}'.repeat(short)),
          Buffer.from('\n'),
        ]),
      ),
    )
    .filter(hasHead),
  growth: fc.array(fc.integer({ min: 100_000, max: 2 * CHUNK_BYTES }), { minLength: 1, maxLength: 4 }),
  maxLineBytes: fc.integer({ min: CHUNK_BYTES - 2000, max: CHUNK_BYTES + 2000 }),
});

for (const [name, log, runs, sizes] of [
  ['small', small, 300, fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 })],
  [
    'as long as a chunk',
    large,
    12,
    fc.array(fc.integer({ min: 50_000, max: 3_000_000 }), { minLength: 1, maxLength: 6 }),
  ],
] as const) {
  test(`any growth and any short reads give the same lines, offsets and digests: lines ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(log, sizes, fc.boolean(), fc.boolean(), fc.nat(7), async (...drawn) => {
        const [given, reads, live, inMemory, restartEvery] = drawn;
        const { content, growth, maxLineBytes } = given;
        const file = new ShortReadFile(content, reads);
        const recorder = new Recorder(inMemory ? scanner.chunk : undefined);
        const reader = newSegmentReader({ format: 'json', stream: undefined, maxLineBytes }, recorder);
        let segment = openSegment(file, live);
        // A segment is opened when it has a head; before that there is nothing to compare.
        file.size = Math.min(content.length, 1024 + skipNulls(content, 0, content.length));
        for (let round = 0; ; round += 1) {
          const before = segment.position;
          await readToEnd(reader, segment, () => {
            const { tail, position } = segment;
            if (tail !== undefined)
              assert.deepEqual(tail, content.subarray(Math.max(0, position - ANCHOR_BYTES), position));
          });
          const seen = reference(content.subarray(0, file.size), maxLineBytes, { finish: false });
          assert.deepEqual(recorder.taken, seen.taken, `with ${file.size} bytes`);
          assert.equal(segment.position, seen.position);
          assert.equal(recorder.nullCount, seen.nulls);
          const progress = segment.progress();
          if (live) assertDigests(segment, content, before, progress.anchor?.lines);
          else assert.equal(progress.anchor?.lines, undefined);
          segment.committed(progress, segment.position);
          if (restartEvery > 0 && round % restartEvery === 0) {
            const restarted = openSegment(file, live);
            restarted.restore(
              [progress.offsets.get('archive')!],
              progress.anchor === undefined ? [] : [progress.anchor],
              progress.offsets,
            );
            assert.equal(restarted.position, segment.position);
            segment = restarted;
          }
          if (file.size === content.length) break;
          file.size = Math.min(content.length, file.size + growth[round % growth.length]!);
        }
        await readToEnd(reader, segment, () => undefined);
        assert.notEqual(await reader.finish(segment), 'changed');
        const all = reference(content, maxLineBytes, { finish: true });
        assert.deepEqual(recorder.taken, all.taken);
        assert.equal(segment.position, all.position);
      }),
      fuzz(runs),
    );
  });
}

test('any change of what was read last, and any cut behind it, is seen before anything more is taken', async () => {
  await fc.assert(
    fc.asyncProperty(small, fc.nat(), fc.boolean(), fc.boolean(), async (given, where, isCut, restarted) => {
      const { content, maxLineBytes } = given;
      const file = new ShortReadFile(content, [700]);
      file.size = content.length;
      const recorder = new Recorder();
      const reader = newSegmentReader({ format: 'json', stream: undefined, maxLineBytes }, recorder);
      let segment = openSegment(file, true);
      await readToEnd(reader, segment, () => undefined);
      const { position } = segment;
      fc.pre(position > 0);
      if (restarted) {
        const progress = segment.progress();
        segment = openSegment(file, true);
        segment.restore([position], [progress.anchor!], new Map());
      }
      const covered = Math.min(ANCHOR_BYTES, position);
      if (isCut) {
        file.size = where % position;
      } else {
        file.content = Buffer.concat([content, Buffer.from('{"more":1}\n')]);
        file.size = file.content.length;
        file.content[position - 1 - (where % covered)]! ^= 1 + (where % 255);
      }
      const before = recorder.taken.length;
      assert.equal(await reader.isIntact(segment), false);
      assert.equal(await reader.step(segment), 'changed');
      assert.equal(recorder.taken.length, before);
    }),
    fuzz(200),
  );
});

test('one reader at a time has the memory, also after an error; another one reads into its own', async () => {
  const lines = (name: string) => Buffer.from(`{"log":"${name}"}\n`.repeat(500));
  const recorder = new Recorder(scanner.chunk);
  const buffers: Buffer[] = [];
  let held: PromiseWithResolvers<void> | undefined;
  const newReading = (name: string, failing = false) => {
    const file = new ShortReadFile(lines(name), [5000]);
    file.size = file.content.length;
    const read = file.read.bind(file);
    file.read = async (offset, buffer, start, length) => {
      buffers.push(buffer);
      await held?.promise;
      if (failing) throw new Error('EIO');
      return read(offset, buffer, start, length);
    };
    const reader = newSegmentReader({ format: 'json', stream: undefined, maxLineBytes: 1024 }, recorder);
    return reader.step(openSegment(file, true));
  };
  const { buffer } = scanner.chunk;
  await assert.rejects(newReading('broken', true), /EIO/);
  assert.ok(buffers.every((one) => one === buffer || one.length < READ_BYTES));
  held = Promise.withResolvers();
  const steps = ['one', 'two', 'three'].map((name) => newReading(name));
  held.resolve();
  assert.deepEqual(await Promise.all(steps), ['lines', 'lines', 'lines']);
  const large = [...new Set(buffers)].filter((one) => one.length >= READ_BYTES);
  assert.equal(large.length, 3);
  assert.ok(large.includes(buffer));
  const expected = ['one', 'two', 'three'].flatMap((name) => reference(lines(name), 1024, { finish: false }).taken);
  assert.deepEqual(recorder.taken.toSorted(), expected.toSorted());
});
