import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { LineHandler } from '../../src/source/line-handler.ts';
import { firstEventTime } from '../../src/source/segment-edges.ts';
import { ShortReadFile } from './short-read-file.ts';
import { SourceHarness } from './source-harness.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** An event of `size` bytes; its time stands at its end, where the kube-apiserver writes it. */
function event(time: number, size = 0): string {
  const tail = `","t":${time}}`;
  return `{"pad":"${'x'.repeat(Math.max(0, size - tail.length - 8))}${tail}`;
}

/** The content of a segment, as its file gives it; `time` is what the agent finds. */
class Content extends ShortReadFile {
  bytesRead = 0;

  constructor(lines: readonly string[], sizes: readonly number[] = [MIB]) {
    super(Buffer.from(lines.join('\n'), 'latin1'), sizes);
    this.size = this.content.length;
  }

  override async read(offset: number, buffer: Buffer, start: number, length: number): Promise<number> {
    const read = await super.read(offset, buffer, start, length);
    this.bytesRead += read;
    return read;
  }

  time(): Promise<number | undefined> {
    return firstEventTime(this, HANDLER);
  }
}

const HANDLER = {
  eventTime(buffer: Buffer, start: number, end: number): number | undefined {
    try {
      return JSON.parse(buffer.toString('utf8', start, end)).t ?? undefined;
    } catch {
      return undefined;
    }
  },
} as LineHandler;

for (const size of [100, 64 * KIB, 300 * KIB, MIB, 3 * MIB, 16 * MIB - 1]) {
  test(`the time of a first line of ${size} bytes`, async () => {
    assert.equal(await new Content([event(1, size), event(2), '']).time(), 1);
    assert.equal(await new Content([event(1, size), '']).time(), 1);
    assert.equal(await new Content([event(1, size)]).time(), 1);
  });
}

test('lines without a time are passed over', async () => {
  const without = ['no event', '', '{"t":null}', '\0\0\0', `\0\0${event(7)}`, event(8), ''];
  assert.equal(await new Content(without).time(), 7);
  assert.equal(await new Content(without, [1, 2, 3, 5]).time(), 7);
  assert.equal(await new Content(['x'.repeat(70 * KIB), 'y'.repeat(2 * MIB), event(7, 300 * KIB), '']).time(), 7);
});

test('a line that is longer than any event is passed over', async () => {
  assert.equal(await new Content([event(1, 20 * MIB), event(2), '']).time(), 2);
  assert.equal(await new Content([event(1, 20 * MIB), event(2, 300 * KIB), event(3), '']).time(), 2);
  assert.equal(await new Content([event(1, 20 * MIB), '']).time(), undefined);
  assert.equal(await new Content([event(1, 20 * MIB)]).time(), undefined);
});

test('what has no time is not searched to its end', async () => {
  const lines = new Content(Array.from({ length: 200_000 }, (_, n) => `{"n":${n}}`));
  assert.equal(await lines.time(), undefined);
  assert.ok(lines.bytesRead < 200 * KIB, `${lines.bytesRead} bytes`);
  const line = new Content(['x'.repeat(100 * MIB), event(1), '']);
  assert.equal(await line.time(), undefined);
  assert.ok(line.bytesRead < 90 * MIB, `${line.bytesRead} bytes`);
});

for (const gzip of [false, true]) {
  test(`rotated ${gzip ? 'gzip ' : ''}parts with long first lines are read oldest first`, async () => {
    await using harness = new SourceHarness();
    const dir = path.dirname(harness.log);
    fs.mkdirSync(dir, { recursive: true });
    const parts = [1, 2, 3].map((n) => [event(n * 10, [2 * MIB, 100, 300 * KIB][n - 1]), event(n * 10 + 1)]);
    for (const [index, lines] of parts.entries()) {
      const content = Buffer.from(`${lines.join('\n')}\n`);
      const file = path.join(dir, `audit-2026-11-20T1${index}-04-05.001.log${gzip ? '.gz' : ''}`);
      fs.writeFileSync(file, gzip ? gzipSync(content) : content);
      // As after a copy of the directory: the file's own time tells nothing.
      fs.utimesSync(file, 1_790_000_000 - index, 1_790_000_000 - index);
    }
    await harness.settle();
    assert.deepEqual(
      harness.taken.map((line) => Number(/"t":(\d+)/.exec(line)![1])),
      [10, 11, 20, 21, 30, 31],
    );
  });
}
