import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { systemError } from '../faulty-io.ts';
import { syncedPaths } from '../synced-paths.ts';
import { harness } from './archive-harness.ts';

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
  assert.deepEqual([...synced], [h.dir], 'those above are synced once');
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
