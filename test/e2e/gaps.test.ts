/**
 * Backups that are deleted: what the agent holds open is read to its end all the same, and what it could not read is told
 * as a gap, in the state and in the log; what is left is archived exactly.
 */
import assert from 'node:assert/strict';
import { rmSync, statSync } from 'node:fs';
import { test } from 'node:test';
import type { LogLine } from '../helpers/agent-process.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { RotatingWriter, type RotationStyle } from '../helpers/rotating-writer.ts';
import { PartLines } from './part-lines.ts';
import { type GapRow, killed, Scene, stopped } from './rotation-scene.ts';

const DELETED = 'the file was deleted or replaced before it was read to its end';

function expecting(...parts: readonly (readonly string[])[]): LineMultiset {
  const expected = new LineMultiset();
  for (const line of parts.flat()) expected.expect(hashLine(line));
  return expected;
}

function timeOf(line: string | undefined): number {
  const { stageTimestamp } = JSON.parse(line ?? '{}') as { stageTimestamp: string };
  return Math.floor(Date.parse(stageTimestamp));
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}

/** The row in the state says this, the log says the same, and a further start says nothing new. */
async function assertOneGap(scene: Scene, log: readonly LogLine[], gap: GapRow): Promise<void> {
  assert.deepEqual(scene.gaps(), [gap]);
  const told = log.filter(({ message }) => message === 'a gap: events were lost before they could be read');
  const time = (ms: number | null) => (ms === null ? 'unknown' : new Date(ms).toISOString());
  assert.deepEqual(
    told.map(({ level, path, from_offset, to_offset, after_event, before_event, reason }) => {
      return { level, path, from_offset, to_offset, after_event, before_event, reason };
    }),
    [
      {
        level: 'error',
        path: gap.path,
        from_offset: gap.start_offset,
        to_offset: gap.end_offset ?? 'unknown',
        after_event: time(gap.before_time),
        before_event: time(gap.after_time),
        reason: gap.reason,
      },
    ],
  );
  await scene.drain();
  assert.deepEqual(scene.gaps(), [gap]);
}

for (const kept of [1, 3]) {
  test(`four rotations while the agent is down, of which ${kept} are left: the rest is a gap with an unknown end`, async () => {
    using scene = new Scene();
    const writer = new RotatingWriter(scene.log);
    const lines = new PartLines('few', kept);
    const read = lines.part();
    writer.writeLines(read);
    const agent = await scene.startReading();
    await scene.committed(agent, read.length);
    await stopped(agent);

    const parts = [lines.part(), lines.part(), lines.part(), lines.part()];
    for (const part of parts) {
      writer.writeLines(part);
      writer.rotate('rename-gzip');
    }
    const live = lines.part();
    writer.writeLines(live);
    writer.prune(kept);
    const left = [...parts.slice(-kept), live];

    const log = await scene.drain();
    await scene.assertArchive(expecting(read, ...left));
    await assertOneGap(scene, log, {
      path: scene.log,
      start_offset: bytesOf(read),
      end_offset: null,
      before_time: timeOf(read.at(-1)),
      after_time: timeOf(left[0]![0]),
      reason: DELETED,
    });
    writer.close();
  });
}

test('the copy of copytruncate is deleted before it was read: a gap with an unknown end', async () => {
  using scene = new Scene();
  const writer = new RotatingWriter(scene.log);
  const lines = new PartLines('few', 5);
  const read = lines.part();
  writer.writeLines(read);
  const agent = await scene.startReading();
  await scene.committed(agent, read.length);
  await stopped(agent);
  writer.writeLines(lines.part());
  rmSync(writer.rotate('copytruncate'));
  const live = lines.part();
  writer.writeLines(live);

  const log = await scene.drain();
  await scene.assertArchive(expecting(read, live));
  await assertOneGap(scene, log, {
    path: scene.log,
    start_offset: bytesOf(read),
    end_offset: null,
    before_time: timeOf(read.at(-1)),
    after_time: timeOf(live[0]),
    reason: DELETED,
  });
  writer.close();
});

test('a rotated part is deleted when it was half read: the gap has both its ends', async () => {
  // A slow compressor and small commits: the agent is killed in the middle of the part.
  using scene = new Scene({
    config: { commit: { interval: '10ms', bytes: '256KiB', durability: 'process' }, memory_limit: '8MiB' },
    source: { max_line_bytes: '1MiB' },
    sink: { level: 9 },
  });
  const writer = new RotatingWriter(scene.log);
  const lines = new PartLines('large', 6);
  const part = Array.from({ length: 8 }, () => lines.part()).flat();
  writer.writeLines(part);
  const backup = writer.rotate('rename');
  const live = lines.take(20);
  writer.writeLines(live);
  const { size } = statSync(backup);
  const agent = await scene.startReading();
  await agent.waitFor('a first commit', () => scene.committedBytes() > 0);
  await killed(agent);
  rmSync(backup);

  const [segment] = scene.query<{ offset: number; lines: number }>(
    `SELECT offset, (SELECT total(events) FROM archives) AS lines FROM offsets JOIN segments ON segments.id = segment
     WHERE path = '${backup}'`,
  );
  assert.ok(segment!.offset > 0 && segment!.offset < size, `killed at ${segment!.offset} of ${size} bytes`);
  const read = part.slice(0, segment!.lines);
  assert.equal(bytesOf(read), segment!.offset);
  const log = await scene.drain();
  await scene.assertArchive(expecting(read, live));
  await assertOneGap(scene, log, {
    path: backup,
    start_offset: segment!.offset,
    end_offset: size,
    before_time: timeOf(read.at(-1)),
    after_time: timeOf(live[0]),
    reason: DELETED,
  });
  writer.close();
});

for (const style of ['rename', 'rename-gzip', 'rename-late'] as const satisfies RotationStyle[]) {
  test(`backups are deleted at once while the agent runs (${style}): what it holds open is read to its end`, async () => {
    using scene = new Scene();
    const writer = new RotatingWriter(scene.log);
    const lines = new PartLines('large', 7);
    writer.writeLines(lines.part());
    const agent = await scene.startReading();
    for (let round = 0; round < 3; round += 1) {
      // Seen, and so held, but not necessarily read.
      await scene.committed(agent, writer.expected.total - 1);
      writer.writeLines(lines.part());
      writer.rotate(style);
      writer.prune(0);
      if (style === 'rename-late') {
        writer.writeLines(lines.take(3));
        writer.reopen();
      }
      writer.writeLines(lines.take(3));
    }
    await scene.committed(agent, writer.expected.total);
    // Stopped before, it could not know whether somebody still writes to what it held.
    await agent.waitFor('the end of the rotated parts', () => scene.unfinished() === 1);
    await stopped(agent);
    await scene.drain();
    await scene.assertArchive(writer.expected, (hash) => writer.describe(hash));
    assert.deepEqual(scene.gaps(), []);
    writer.close();
  });
}
