import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { systemError } from '../faulty-io.ts';
import { syncedPaths } from '../synced-paths.ts';
import { HOUR, harness, T0 } from './archive-harness.ts';

const config = { mode: 0o640, dirMode: 0o750 };

test('directories that a life made which was killed before it synced them are synced with the first commit', async (t) => {
  const { io, synced } = syncedPaths();
  const h = harness(t, { durability: 'disk', io, config });
  fs.mkdirSync(h.dir, { recursive: true });
  await h.start();
  h.append('a', 'one');
  await h.commit();
  for (let directory = h.dir; directory !== '/'; directory = path.dirname(directory)) {
    assert.ok(synced.has(directory), `${directory} was not synced`);
  }
  synced.clear();
  h.append('a', 'two');
  await h.commit();
  h.append('b', 'three');
  await h.commit();
  const directories = [...synced].filter((one) => !one.endsWith('.gz'));
  assert.deepEqual(directories, [h.dir], 'those above are synced once');
});

test('a directory above that may not be read is left to who made it', async (t) => {
  const { io, synced } = syncedPaths();
  const h = harness(t, {
    durability: 'disk',
    config,
    io: {
      ...io,
      open: (file, flags, mode) => {
        if (file === path.dirname(h.root)) return Promise.reject(systemError('EACCES'));
        return io.open(file, flags, mode);
      },
    },
  });
  await h.start();
  h.append('a', 'one');
  await h.commit();
  assert.ok(synced.has(h.root) && !synced.has(path.dirname(h.root)));
  assert.deepEqual(h.failures, []);
});

test('copies of what a start cuts off are durable with their directories, and so is the name under which they stay', async (t) => {
  const { io, synced } = syncedPaths();
  const h = harness(t, { io, config });
  await h.start();
  h.append('a', 'one');
  await h.commit();
  fs.appendFileSync(h.file('a'), 'a tail');
  await h.start();
  const above = path.dirname(h.cutDir);
  for (const one of [h.cutDir, above, path.dirname(above)]) assert.ok(synced.has(one), `${one} was not synced`);
  synced.clear();
  await h.archive.retainCutTails();
  assert.deepEqual([...synced], [h.cutDir]);
});

test("retention forgets a file when its end is durable: one that a power loss brings back would be nobody's", async (t) => {
  const { io, synced } = syncedPaths();
  const forgotten: boolean[] = [];
  const h = harness(t, {
    durability: 'disk',
    io: {
      ...io,
      fsync: async (fd) => {
        forgotten.push(!h.records.hasPath(h.file('a')));
        await io.fsync(fd);
      },
    },
    config: { ...config, retention: { maxAgeMs: HOUR, maxBytes: undefined, minKeepMs: 0 } },
  });
  await h.start();
  h.append('a', 'one');
  h.append('a', 'two', T0 + HOUR);
  await h.commit();
  h.now = T0 + 5 * HOUR;
  forgotten.length = 0;
  synced.clear();
  await h.archive.maintain();
  assert.ok(!fs.existsSync(h.file('a')) && !h.records.hasPath(h.file('a')));
  assert.ok(synced.has(h.dir));
  assert.ok(!forgotten.includes(true), 'it was forgotten first');
});
