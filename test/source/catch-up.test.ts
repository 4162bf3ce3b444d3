import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { SourceConfig } from '../../src/config/types.ts';
import { assertLines, assertTaken, DisturbedLog } from './disturbed-log.ts';
import { FileCalls } from './file-calls.ts';
import { PacedSink } from './paced-sink.ts';
import { SourceHarness } from './source-harness.ts';

/** An archive, a sink that lags when the test says so, and one that never does. */
async function withSinks(
  run: (harness: SourceHarness, log: DisturbedLog, slow: PacedSink, prompt: PacedSink) => Promise<void>,
  config: Partial<SourceConfig> = {},
): Promise<void> {
  const sinks = [new PacedSink('slow'), new PacedSink('prompt')] as const;
  await using harness = new SourceHarness(config, ...sinks);
  using log = new DisturbedLog(harness.log);
  await run(harness, log, ...sinks);
}

/** Until the sinks have everything, and the state says so. */
async function finish(harness: SourceHarness): Promise<void> {
  for (const sink of harness.paced) sink.hasRoom = true;
  for (let round = 0; round < 2; round += 1) {
    await harness.settle();
    for (const sink of harness.paced) sink.takeAll();
    await harness.settle();
  }
  assert.equal(harness.source.isBehind, false);
}

/** Exactly once, and in the order of their times: oldest segment first. */
function assertInOrder({ handed, name }: PacedSink, log: DisturbedLog): void {
  assertLines(handed, log, name);
  assert.deepEqual(handed, handed.toSorted(), `${name} was handed lines out of order`);
}

function bytes(lines: readonly string[]): number {
  return lines.join('\n').length + 1;
}

const ranges = (harness: SourceHarness) =>
  harness.gaps().map(({ startOffset, endOffset, reason }) => ({ startOffset, endOffset, reason }));

test('who has room is handed everything at once, who has none is handed it later, in order', () =>
  withSinks(async (harness, log, slow, prompt) => {
    log.write(20);
    await harness.read();
    slow.hasRoom = false;
    log.write(20);
    await harness.read();
    assert.deepEqual([slow.handed.length, prompt.handed.length, harness.taken.length], [20, 40, 40]);
    assert.equal(harness.source.isBehind, true);
    log.rotate();
    log.write(20);
    await harness.read();
    slow.hasRoom = true;
    log.write(5);
    await finish(harness);
    for (const sink of [slow, prompt]) assertInOrder(sink, log);
    assertTaken(harness, log);
    assert.deepEqual([slow.behindTold, prompt.behindTold], [[true, false], []]);
  }));

test('the shared reader takes as many steps with a sink that stands still as without', async () => {
  const steps = async (hasRoom: boolean) => {
    let count = 0;
    await withSinks(async (harness, log, slow) => {
      slow.hasRoom = hasRoom;
      for (let part = 0; part < 3; part += 1) {
        log.write(4000, 400);
        log.rotate();
      }
      await harness.source.sweep();
      while (await harness.source.poll()) count += 1;
      assertTaken(harness, log);
    });
    return count;
  };
  assert.equal(await steps(false), await steps(true));
});

for (const style of ['rename', 'rename-gzip', 'copytruncate'] as const) {
  test(`a sink that is behind has everything after rotations by ${style}, also parts that were gzipped or deleted`, () =>
    withSinks(async (harness, log, slow, prompt) => {
      log.write(10);
      await harness.read();
      slow.hasRoom = false;
      for (let part = 0; part < 4; part += 1) {
        log.write(10);
        await harness.read();
        const rotated = log.rotate(style);
        await harness.settle();
        if (part === 1 && style === 'rename') log.gzip();
        if (part === 2) fs.rmSync(rotated, { force: true });
        await harness.settle();
      }
      await finish(harness);
      for (const sink of [slow, prompt]) assertInOrder(sink, log);
      assert.deepEqual(harness.gaps(), []);
    }));
}

test('two streams that are both behind in a line too long to be kept', async () => {
  const slow = new PacedSink('slow');
  const dir = await fs.promises.mkdtemp(path.join(os.tmpdir(), 'auditail-streams-'));
  await using _ = { [Symbol.asyncDispose]: () => fs.promises.rm(dir, { recursive: true }) };
  await using harness = new SourceHarness({ path: dir, maxLineBytes: 1000 }, slow);
  const lines: string[] = [];
  for (const name of ['a', 'b']) {
    const own = [`{"t":1,"in":"${name}"}`, `{"pad":"${name.repeat(3_000_000)}"}`, `{"t":2,"in":"${name}"}`];
    fs.writeFileSync(`${dir}/${name}.log`, own.map((line) => `${line}\n`).join(''));
    lines.push(...own);
  }
  slow.hasRoom = false;
  await harness.read();
  assert.equal(harness.taken.length, lines.length);
  slow.hasRoom = true;
  let steps = 0;
  while (await harness.source.poll()) {
    steps += 1;
    assert.ok(steps < 200, 'it never ends');
  }
  assert.deepEqual(slow.handed.toSorted(), lines.toSorted());
  assert.deepEqual([harness.longLines, slow.behindTold], [2, [true, false]]);
});

test('first lines over 1 KiB, oversize lines, NULs, and a last line without newline', () =>
  withSinks(
    async (harness, log, slow, prompt) => {
      slow.hasRoom = false;
      log.write(1, 5_000);
      log.write(3, 1_500);
      log.write(2, 2_500_000);
      log.writer.writePart(Buffer.alloc(3_000_000));
      log.write(3);
      log.writer.writePart('{"t":1,"unfinished":');
      await harness.read();
      await harness.commit();
      assert.equal(slow.handed.length, 0);
      // Another writer, so that its part of a line stays where it is.
      fs.renameSync(log.path, log.path.replace('.log', '-2026-11-20T15-04-05.000.log'));
      await finish(harness);
      assert.deepEqual(slow.handed, prompt.handed);
      assert.equal(slow.handed.length, 10);
      assert.equal(slow.handed.at(-1), '{"t":1,"unfinished":');
      assert.deepEqual([harness.longLines, harness.nulls], [3, 3_000_000]);
    },
    { maxLineBytes: 2_000 },
  ));

test('a log that begins with more NULs than a step takes: a sink that lags through them loses nothing', () =>
  withSinks(async (harness, log, slow, prompt) => {
    log.writer.writePart(Buffer.alloc(3_000_000));
    log.write(20);
    slow.hasRoom = false;
    await harness.source.sweep();
    await harness.source.poll();
    slow.hasRoom = true;
    await finish(harness);
    assert.deepEqual(ranges(harness), []);
    assert.deepEqual(slow.handed, prompt.handed);
    assert.deepEqual([slow.handed.length, slow.behindTold], [20, [true, false]]);
  }));

test('a crash repeats only what was not durably taken, whatever the order of taking', () =>
  withSinks(async (harness, log, slow, prompt) => {
    log.write(30);
    await harness.read();
    for (const n of [5, 3, 0, 0]) slow.take(n);
    prompt.takeAll();
    await harness.commit();
    log.write(6);
    log.rotate();
    await harness.read();
    await harness.crash();
    const before = { slow: slow.handed.length, prompt: prompt.handed.length };
    harness.start();
    await finish(harness);
    // Groups of three: the first and the second were taken, and so were the fourth and the sixth, behind a hole.
    assert.deepEqual(slow.handed.slice(before.slow), slow.handed.slice(6, 36));
    assert.deepEqual(prompt.handed.slice(before.prompt), prompt.handed.slice(30, 36));
    for (const sink of [slow, prompt]) assertLines(sink.delivered, log, sink.name, { repeats: true });
    assertTaken(harness, log);
    await harness.stop();
    harness.start();
    const again = slow.handed.length;
    await finish(harness);
    assert.equal(slow.handed.length, again);
  }));

test('a rewind repeats nothing for sinks at their own pace', () =>
  withSinks(async (harness, log, slow, prompt) => {
    log.write(10);
    await harness.read();
    await harness.commit();
    log.write(10);
    await harness.read();
    slow.hasRoom = false;
    log.write(10);
    await harness.read();
    harness.rewind();
    await finish(harness);
    for (const sink of [slow, prompt]) assertInOrder(sink, log);
    assertTaken(harness, log);
  }));

test('what was taken just before a rewind is stored, though nothing more is written', () =>
  withSinks(async (harness, log, slow, prompt) => {
    log.write(10);
    await harness.read();
    await harness.commit();
    slow.takeAll();
    prompt.takeAll();
    harness.rewind();
    await harness.read();
    await harness.stop();
    harness.start();
    await harness.read();
    assertInOrder(slow, log);
  }));

test('a sink that is added later begins as read_from says', async (t) => {
  for (const readFrom of ['head', 'tail'] as const) {
    await t.test(readFrom, async () => {
      const late = new PacedSink('late');
      await using harness = new SourceHarness({ readFrom });
      using log = new DisturbedLog(harness.log);
      await harness.read();
      log.write(10);
      await harness.settle();
      log.rotate();
      log.write(10);
      await harness.settle();
      await harness.stop();
      harness.paced = [late];
      harness.start();
      await harness.read();
      const added = log.write(5);
      await finish(harness);
      if (readFrom === 'head') assertInOrder(late, log);
      else assert.deepEqual(late.handed, added);
      assertTaken(harness, log);
    });
  }
});

test('a sink that is removed holds nothing, and goes on where it was when it comes back', () =>
  withSinks(async (harness, log, slow, prompt) => {
    log.write(12);
    await harness.read();
    slow.take(0);
    await harness.stop();
    harness.paced = [prompt];
    harness.start();
    log.rotate();
    log.write(5);
    await finish(harness);
    assert.equal(harness.source.segments().length, 1, 'the rotated part is not held');
    await harness.stop();
    harness.paced = [prompt, slow];
    harness.start();
    await finish(harness);
    assertLines(slow.delivered, log, 'slow');
    assert.deepEqual(harness.gaps(), []);
  }));

test('more deleted bytes than held_bytes for a sink that lags: one gap, its own, and no other sink is concerned', () =>
  withSinks(
    async (harness, log, slow, prompt) => {
      const got = log.write(3);
      await harness.read();
      slow.hasRoom = false;
      const lost = log.write(20);
      const part = log.rotate();
      const kept = log.write(4);
      await harness.settle();
      prompt.takeAll();
      fs.rmSync(part);
      await harness.settle();
      assert.equal(harness.source.segments().length, 2, 'what the sink still has in memory is waited for');
      assert.deepEqual(ranges(harness), [
        {
          startOffset: bytes(got),
          endOffset: bytes([...got, ...lost]),
          reason:
            'more deleted but unread bytes than held_bytes allows before the sink slow had got it; the file sinks have it',
        },
      ]);
      await finish(harness);
      assert.equal(harness.source.segments().length, 1);
      assert.deepEqual(slow.handed, [...got, ...kept]);
      assertInOrder(prompt, log);
      assertTaken(harness, log);
      await harness.stop();
      harness.start();
      await finish(harness);
      assert.equal(harness.gaps().length, 1, 'not told again');
      assert.deepEqual(slow.handed, [...got, ...kept]);
    },
    { heldBytes: 200 },
  ));

test('what a sink held in memory of a part that was let go is a gap of its own when a crash takes it', () =>
  withSinks(
    async (harness, log, slow) => {
      const inMemory = log.write(3);
      await harness.read();
      slow.hasRoom = false;
      const lost = log.write(20);
      const part = log.rotate();
      log.write(4);
      await harness.settle();
      fs.rmSync(part);
      await harness.settle();
      await harness.crash();
      harness.start();
      await finish(harness);
      assert.deepEqual(
        harness
          .gaps()
          .filter(({ reason }) => reason.includes('slow'))
          .map(({ startOffset, endOffset }) => [startOffset, endOffset]),
        [
          [bytes(inMemory), bytes([...inMemory, ...lost])],
          [0, bytes([...inMemory, ...lost])],
        ],
      );
    },
    { heldBytes: 200 },
  ));

test('a finished part that was deleted while the agent was down: a gap of the sink that lacked it, told once', () =>
  withSinks(async (harness, log, slow, prompt) => {
    const got = log.write(6);
    await harness.read();
    slow.takeAll();
    slow.hasRoom = false;
    const lost = log.write(20);
    const part = log.rotate();
    log.write(4);
    await harness.settle();
    prompt.takeAll();
    await harness.stop();
    fs.rmSync(part);
    for (let start = 0; start < 3; start += 1) {
      harness.start();
      await finish(harness);
      await harness.stop();
    }
    harness.start();
    assert.deepEqual(ranges(harness), [
      {
        startOffset: bytes(got),
        endOffset: bytes([...got, ...lost]),
        reason: 'the file was deleted before the sink slow had got it; the file sinks have it',
      },
    ]);
    assertInOrder(prompt, log);
    assertTaken(harness, log);
  }));

test('an unfinished part that was deleted while the agent was down: what all lack and what one lacks, told once', () =>
  withSinks(async (harness, log, slow, prompt) => {
    const got = log.write(6);
    await harness.read();
    slow.takeAll();
    slow.hasRoom = false;
    const read = log.write(20);
    await harness.read();
    prompt.takeAll();
    const part = log.rotate();
    await harness.source.sweep();
    // Left alone for so long, it has no more than was read.
    harness.pass(6000);
    await harness.source.sweep();
    await harness.stop();
    fs.rmSync(part);
    log.write(2);
    for (let start = 0; start < 3; start += 1) {
      harness.start();
      await finish(harness);
      await harness.stop();
    }
    harness.start();
    assert.deepEqual(
      harness.gaps().map(({ startOffset, endOffset, reason }) => [startOffset, endOffset, reason.includes('slow')]),
      [[bytes(got), bytes([...got, ...read]), true]],
    );
  }));

test('a live file that is truncated under a sink that lags: a gap of that sink alone', () =>
  withSinks(async (harness, log, slow, prompt) => {
    const got = log.write(6);
    await harness.read();
    slow.hasRoom = false;
    const lost = log.write(20);
    await harness.read();
    fs.truncateSync(log.path, 0);
    const later = log.write(4);
    await finish(harness);
    assert.deepEqual(slow.delivered, [...got, ...later]);
    assertInOrder(prompt, log);
    assert.deepEqual(
      harness.gaps().map(({ startOffset, endOffset, reason }) => [startOffset, endOffset, reason.includes('slow')]),
      [[bytes(got), bytes([...got, ...lost]), true]],
    );
    await harness.stop();
    harness.start();
    await finish(harness);
    assert.equal(harness.gaps().length, 1);
    assert.deepEqual(slow.delivered, [...got, ...later], 'what was in memory was waited for');
  }));

test('a finished part that is read once more for a sink, and truncated before it is finished again', () =>
  withSinks(async (harness, log, slow) => {
    const got = log.write(6);
    await harness.read();
    slow.takeAll();
    slow.hasRoom = false;
    const lost = log.write(20);
    const part = log.rotate();
    log.write(4);
    await harness.settle();
    await harness.stop();
    harness.start();
    await harness.source.sweep();
    fs.truncateSync(part, 0);
    await finish(harness);
    assert.deepEqual(
      harness
        .gaps()
        .filter(({ reason }) => reason.includes('slow'))
        .map(({ startOffset, endOffset }) => [startOffset, endOffset]),
      [[bytes(got), bytes([...got, ...lost])]],
    );
  }));

test('a log that is cut back under a sink that lags: it gets what is left, no fragment, and is told the rest', () =>
  withSinks(async (harness, log, slow, prompt) => {
    const got = log.write(6);
    await harness.read();
    await harness.commit();
    slow.hasRoom = false;
    const left = log.write(10);
    await harness.read();
    await harness.commit();
    const lost = log.write(10);
    await harness.read();
    const end = bytes([...got, ...left, ...lost]);
    fs.truncateSync(log.path, bytes([...got, ...left]) + 20);
    slow.hasRoom = true;
    while (await harness.source.poll());
    fs.truncateSync(log.path, bytes([...got, ...left]));
    const later = log.write(5);
    await finish(harness);
    assert.deepEqual(slow.handed, [...got, ...left, ...later]);
    assertInOrder(prompt, log);
    assertTaken(harness, log);
    assert.deepEqual(
      harness.gaps().map(({ startOffset, endOffset, reason }) => [startOffset, endOffset, reason.includes('slow')]),
      [[bytes([...got, ...left]), end, true]],
    );
  }));

test('the bytes that a sink lacks are told: live, rotated, and held though deleted', () =>
  withSinks(async (harness, log, slow) => {
    const value = async (name: string, kind?: string) =>
      (await harness.telemetry.registry.getSingleMetric(name)!.get()).values.find(
        ({ labels }) => (labels as { kind?: string }).kind === kind,
      )?.value;
    const told = async () => [
      await value('auditail_unread_bytes', 'live'),
      await value('auditail_unread_bytes', 'rotated'),
      await value('auditail_held_deleted_bytes'),
    ];
    slow.hasRoom = false;
    const rotated = bytes(log.write(10));
    const part = log.rotate();
    const live = bytes(log.write(4));
    await harness.source.sweep();
    assert.deepEqual(await told(), [live, rotated, 0], 'nothing was read');
    await harness.settle();
    assert.deepEqual(await told(), [live, rotated, 0], 'the sink has nothing');
    fs.rmSync(part);
    await harness.read();
    assert.deepEqual(await told(), [live, rotated, rotated]);
    await finish(harness);
    assert.deepEqual(await told(), [0, 0, 0]);
  }));

test('a file that cannot be read while it is found out what became of it is told, and holds up no other', async () => {
  using calls = await FileCalls.intercept();
  const dir = await fs.promises.mkdtemp(path.join(os.tmpdir(), 'auditail-streams-'));
  await using _ = { [Symbol.asyncDispose]: () => fs.promises.rm(dir, { recursive: true }) };
  await using harness = new SourceHarness({ path: dir });
  for (const name of ['a', 'b']) fs.writeFileSync(`${dir}/${name}.log`, `{"t":1,"in":"${name}"}\n`);
  await harness.read();
  fs.truncateSync(`${dir}/a.log`);
  fs.appendFileSync(`${dir}/b.log`, '{"t":2,"in":"b"}\n');
  let reads = 0;
  calls.before((call) => {
    if (call !== 'handle.read') return;
    reads += 1;
    // The first finds that the file is empty now, the second asks what it is.
    if (reads === 2) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
  });
  harness.source.hint();
  await harness.source.poll();
  assert.deepEqual([...harness.source.troubles.unreadable], [`${dir}/a.log`]);
  assert.deepEqual(harness.taken.slice(2), ['{"t":2,"in":"b"}']);
  reads = 0;
  await harness.source.sweep();
  calls.before(undefined);
  assert.deepEqual([...harness.source.troubles.unreadable], [`${dir}/a.log`]);
  fs.appendFileSync(`${dir}/a.log`, '{"t":3,"in":"a"}\n');
  await harness.settle();
  assert.deepEqual(harness.taken.slice(3), ['{"t":3,"in":"a"}']);
  assert.deepEqual(harness.gaps(), []);
});
