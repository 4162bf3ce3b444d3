/** Lines of a container that go on in the next file, where something comes in between. */
import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { begun, CRI, line, rotate, write } from './container-lines.ts';
import { PacedSink } from './paced-sink.ts';
import { SourceHarness } from './source-harness.ts';

async function settle(harness: SourceHarness, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await harness.settle();
}

/** So much that does not compress that a gzip part can lose its end and keep its beginning. */
function noise(): string {
  return Array.from({ length: 3_000 }, () => Math.random().toString(36)).join('');
}

for (const [what, disturb] of [
  ['a reload whose commit fails', (harness: SourceHarness) => harness.reload({ commits: false })],
  ['a rewind', async (harness: SourceHarness) => harness.rewind()],
] as const) {
  test(`without an archive: a sink has a joined line in memory at ${what}, and the agent dies later`, async () => {
    const sink = new PacedSink('http', 1);
    await using harness = new SourceHarness(CRI, sink);
    await harness.crash();
    harness.hasArchive = false;
    harness.start();
    write(harness.log, line('one'), begun('tw'));
    await harness.settle();
    rotate(harness.log);
    write(harness.log, line('o'), line('three'));
    await harness.read();
    harness.pass(6_000);
    await harness.read();
    assert.deepEqual(sink.handed, ['one', 'two', 'three'], 'joined, and not committed');
    await disturb(harness);
    await settle(harness, 2);
    // The first and the third: what is between them has to come again.
    for (const n of [0, 1]) sink.take(n);
    assert.deepEqual(sink.delivered, ['one', 'three']);
    await settle(harness, 2);
    await harness.crash();
    harness.start();
    await settle(harness, 3);
    sink.takeAll();
    assert.deepEqual(sink.delivered, ['one', 'three', 'two']);
  });
}

test('a damaged gzip part that ends in a part of a line is not joined with what comes behind what it lost', async () => {
  await using harness = new SourceHarness(CRI);
  const part = gzipSync(line('one') + begun('tw', noise()) + line('o', 'x') + line('lost'));
  const file = `${harness.log}.20261120-150405.gz`;
  write(file, '');
  writeFileSync(file, part.subarray(0, part.length - 2_000));
  // A damaged part has its place by the time of its file.
  utimesSync(file, 1_000_000, 1_000_000);
  write(harness.log, line('three'), line('four'));
  await settle(harness, 3);
  assert.equal(harness.taken[0], 'one');
  assert.deepEqual(harness.taken.slice(-2), ['three', 'four']);
  assert.equal(harness.gaps().length, 1);
});

test('nor is a part before it that goes on in it', async () => {
  await using harness = new SourceHarness(CRI);
  write(`${harness.log}.20261120-150404`, line('one'), begun('a'));
  const part = gzipSync(begun('b', noise()) + line('o', 'x'));
  writeFileSync(`${harness.log}.20261120-150405.gz`, part.subarray(0, part.length - 2_000));
  write(harness.log, line('three'), line('four'));
  await settle(harness, 5);
  assert.deepEqual(harness.taken.slice(-2), ['three', 'four']);
  assert.equal(harness.gaps().length, 1);
});

test('more files than may be open at once: a line that goes on in one that waits for its turn is joined', async () => {
  await using harness = new SourceHarness(CRI);
  const expected: string[] = [];
  for (let n = 0; n < 1_100; n += 1) {
    const head = n === 0 ? '' : line(`-${n}`);
    write(`${harness.log}.20261120-${100_000 + n}`, head + line(`whole ${n}`) + begun(`cut ${n}`));
    expected.push(`whole ${n}`, `cut ${n}-${n + 1}`);
  }
  write(harness.log, line('-1100'));
  await settle(harness, 4);
  const taken = new Set(harness.taken);
  assert.deepEqual(
    expected.filter((one) => !taken.has(one)),
    [],
  );
  assert.equal(harness.taken.length, expected.length);
});

test('NULs between the parts of a line that a rotation cuts are no line', async () => {
  const sink = new PacedSink('http', 1);
  await using harness = new SourceHarness(CRI, sink);
  write(harness.log, line('one'), begun('a'), '\0\0\0');
  await harness.settle();
  sink.hasRoom = false;
  rotate(harness.log);
  write(harness.log, '\0\0', line('b'), line('two'));
  await settle(harness, 3);
  assert.deepEqual(harness.taken, ['one', 'ab', 'two']);
  await harness.crash();
  harness.start();
  await harness.drain();
  assert.deepEqual(sink.delivered, ['one', 'ab', 'two']);
  assert.deepEqual(harness.taken, ['one', 'ab', 'two']);
});
