import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { syncedPaths } from '../synced-paths.ts';
import { harness } from './archive-harness.ts';

test('a commit waits for the sync of a file that another one, of the next commit, takes the descriptor from', async (t) => {
  const sync = Promise.withResolvers<void>();
  let held: string | undefined;
  const h = harness(t, {
    durability: 'disk',
    blockBytes: 700,
    config: { maxOpenFiles: 2 },
    io: syncedPaths(async (path) => {
      held ??= path;
      if (path === held) await sync.promise;
    }).io,
  });
  await h.start();
  h.append('a', 'one');
  h.append('b', 'one');
  const cut = h.archive.cut();
  for (let i = 0; i < 40; i += 1) h.append('c', 'x'.repeat(100));
  let isFlushed = false;
  const flushed = h.archive.flush(cut).then((rows) => {
    isFlushed = true;
    return rows;
  });
  await delay(300);
  assert.equal(isFlushed, false, `${held} is not durable yet`);
  sync.resolve();
  h.records.save(await flushed);
  h.archive.committed(cut);
});
