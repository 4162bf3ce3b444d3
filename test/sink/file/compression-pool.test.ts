import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import zlib from 'node:zlib';
import { CompressionPool } from '../../../src/sink/file/compression-pool.ts';
import { freeNow } from '../../../src/sink/file/moved-memory.ts';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

/** A block of its own, alone in its memory as those of the archive are. */
function newContent(index: number, bytes = 64 * 1024): Buffer {
  const content = Buffer.allocUnsafeSlow(bytes);
  const line = Buffer.from(`{"kind":"Event","auditID":"${index}","verb":"get"}\n`);
  for (let at = 0; at < bytes; at += line.length) line.copy(content, at);
  return content;
}

function ownCopy(content: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(content.length);
  content.copy(copy);
  return copy;
}

const asked = () => true;

function decode(format: 'gzip' | 'zstd', data: Buffer, dictionary?: Buffer): Buffer {
  if (format === 'zstd') return zlib.zstdDecompressSync(data);
  const window = dictionary === undefined ? {} : { dictionary };
  return zlib.inflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH, ...window });
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < end, 'waited 10 s');
    await turn();
  }
}

test('the content of a block is let go when the block is done, however many wait', async () => {
  const pool = new CompressionPool(1, { backlogBytes: Number.POSITIVE_INFINITY });
  const contents: WeakRef<Buffer>[] = [];
  let done = 0;
  const submit = (index: number) => {
    // Long for the last ones: they wait while those before them are looked at.
    const content = newContent(index, index < 10 ? 4096 : 4 * 1024 * 1024);
    contents.push(new WeakRef(content));
    return pool
      .run({ format: 'gzip', level: index < 10 ? 1 : 9, startsMember: true, content, dictionary: undefined }, asked)
      .then(() => {
        done += 1;
      });
  };
  const all = Promise.all(Array.from({ length: 20 }, (_, index) => submit(index)));
  await until(() => done >= 10);
  for (let round = 0; round < 3; round += 1) {
    await turn();
    collectGarbage();
  }
  assert.ok(done < 19, 'blocks still wait');
  const held = contents.slice(0, 10).filter((content) => content.deref() !== undefined).length;
  assert.ok(held <= 1, `${held} of 10 blocks that are done are held`);
  await all;
});

for (const [threads, backlogBytes] of [
  ["libuv's", Number.POSITIVE_INFINITY],
  ['own', 0],
] as const) {
  test(`what comes back from ${threads} threads is alone in its memory, which is at most twice as large`, async () => {
    const pool = new CompressionPool(1, { backlogBytes });
    const job = { level: 6, startsMember: true, dictionary: undefined } as const;
    for (const format of ['gzip', 'zstd'] as const) {
      for (const bytes of [500, 5000, 100 * 1024, 256 * 1024, 1024 * 1024]) {
        for (const expected of [newContent(1, bytes), randomBytes(bytes)]) {
          const { data } = (await pool.run({ ...job, format, content: ownCopy(expected) }, asked))!;
          assert.deepEqual(decode(format, data), expected);
          assert.ok(data.buffer.byteLength <= 2 * data.length, `${data.length} in ${data.buffer.byteLength} bytes`);
          // The memory of Buffers that others are in cannot be moved.
          assert.doesNotThrow(() => structuredClone(data, { transfer: [data.buffer as ArrayBuffer] }));
        }
      }
    }
  });
}

test('what a compressor wrote into is given back with its result, and not with some collection', async () => {
  const pool = new CompressionPool(1, { backlogBytes: Number.POSITIVE_INFINITY });
  const job = { format: 'gzip', level: 6, startsMember: true, dictionary: undefined } as const;
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 40; index += 1) {
    const done = (await pool.run({ ...job, content: newContent(index, 256 * 1024) }, asked))!;
    freeNow(done.data);
    freeNow(done.content);
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 256 * 1024, `${grown} bytes are left of 40 blocks`);
});

test('readers wait while more than 10 MiB wait, and go on when less does', async () => {
  const pool = new CompressionPool(1, { backlogBytes: Number.POSITIVE_INFINITY });
  const job = { format: 'gzip', level: 1, startsMember: true, dictionary: undefined } as const;
  const all = Array.from({ length: 13 }, (_, index) =>
    pool.run({ ...job, content: newContent(index, 1024 * 1024) }, asked),
  );
  let isShort = false;
  const short = pool.whenShort().then(() => {
    isShort = true;
  });
  await turn();
  assert.equal(isShort, false, '12 MiB wait');
  await all[0];
  await turn();
  assert.equal(isShort, false, '11 MiB wait');
  await all[1];
  await short;
  await pool.whenShort();
  await Promise.all(all);
});

test('readers do not wait for blocks that nobody wants any more', async () => {
  const pool = new CompressionPool(1, { backlogBytes: Number.POSITIVE_INFINITY });
  let isWanted = true;
  const job = { format: 'gzip', level: 1, startsMember: true, dictionary: undefined } as const;
  const all = Array.from({ length: 40 }, (_, index) =>
    pool.run({ ...job, content: newContent(index, 1024 * 1024) }, () => isWanted),
  );
  const short = pool.whenShort();
  isWanted = false;
  await short;
  assert.equal((await Promise.all(all)).filter((block) => block !== undefined).length, 1);
});

test('blocks begin in the order in which they came, and those that nobody wants any more do not', async () => {
  const pool = new CompressionPool(2);
  const begun: number[] = [];
  const jobs = Array.from({ length: 3000 }, (_, index) =>
    pool.run(
      { format: 'gzip', level: 1, startsMember: true, content: newContent(index, 64), dictionary: undefined },
      () => {
        begun.push(index);
        return index % 7 !== 3;
      },
    ),
  );
  const results = await Promise.all(jobs);
  assert.deepEqual(
    begun,
    jobs.map((_, index) => index),
  );
  for (const [index, result] of results.entries()) assert.equal(result === undefined, index % 7 === 3);
});

for (const format of ['gzip', 'zstd'] as const) {
  test(`${format}: a backlog starts threads of our own, which compress as well, give buffers back, and end`, async () => {
    const pool = new CompressionPool(2, { backlogBytes: 256 * 1024, idleMs: 50 });
    const results = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const content = newContent(index);
        const window = index % 2 === 0 ? undefined : newContent(index - 1, 32 * 1024);
        const job = { format, level: 3, startsMember: window === undefined, content, dictionary: window };
        const done = await pool.run(job, asked);
        assert.deepEqual(done!.content, newContent(index));
        assert.equal(done!.dictionary === undefined, window === undefined);
        if (done!.dictionary !== undefined) assert.deepEqual(done!.dictionary, newContent(index - 1, 32 * 1024));
        return done!.data;
      }),
    );
    assert.ok(pool.hasThreads);
    for (const [index, data] of results.entries()) {
      const window = index % 2 === 0 ? undefined : newContent(index - 1, 32 * 1024);
      assert.deepEqual(decode(format, data, window), newContent(index), `block ${index}`);
    }
    await until(() => !pool.hasThreads);
    // And it goes on without them.
    const again = await pool.run(
      { format, level: 3, startsMember: true, content: newContent(0), dictionary: undefined },
      asked,
    );
    assert.deepEqual(decode(format, again!.data), newContent(0));
  });
}

test('a thread that ends takes its blocks along, says so, and the others are compressed without threads', async (t) => {
  const workers: Worker[] = [];
  const post = Worker.prototype.postMessage;
  t.mock.method(Worker.prototype, 'postMessage', function (this: Worker, ...args: Parameters<Worker['postMessage']>) {
    if (!workers.includes(this)) workers.push(this);
    return post.apply(this, args);
  });
  const pool = new CompressionPool(1, { backlogBytes: 1 });
  const job = (index: number) => ({
    format: 'gzip' as const,
    level: 6,
    startsMember: true,
    content: newContent(index, 512 * 1024),
    dictionary: undefined,
  });
  const results = Promise.allSettled(Array.from({ length: 12 }, (_, index) => pool.run(job(index), asked)));
  await until(() => workers.length === 1);
  await workers[0]!.terminate();
  const outcomes = (await results).map(({ status }) => status);
  assert.ok(outcomes.includes('rejected'), outcomes.join());
  assert.equal(outcomes.at(-1), 'fulfilled');
  assert.equal(pool.hasThreads, false);
  const last = await pool.run(job(9), asked);
  assert.deepEqual(decode('gzip', last!.data), newContent(9, 512 * 1024));
  assert.equal(pool.hasThreads, false);
});

test('threads of our own stand behind the loop, which keeps its place', {
  skip: process.platform === 'linux' ? false : 'only Linux has a niceness for each thread',
}, async () => {
  const before = nicenesses();
  const pool = new CompressionPool(2, { backlogBytes: 0 });
  const job = { format: 'gzip', level: 1, startsMember: true, dictionary: undefined } as const;
  await Promise.all([0, 1].map((index) => pool.run({ ...job, content: newContent(index) }, asked)));
  const after = nicenesses();
  assert.equal(after.get(process.pid), before.get(process.pid), 'the thread of the loop');
  const more = [...after].filter(([thread]) => !before.has(thread)).map(([, niceness]) => niceness);
  assert.equal(more.filter((niceness) => niceness > before.get(process.pid)!).length, 2);
});

/** By thread of this process: proc_pid_stat(5), field 19. */
function nicenesses(): Map<number, number> {
  const threads = fs.readdirSync('/proc/self/task').map((id) => {
    const stat = fs.readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    const [niceness] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(16);
    return [Number(id), Number(niceness)] as const;
  });
  return new Map(threads);
}
