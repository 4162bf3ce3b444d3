import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { AuditailError } from '../../../../src/errors.ts';
import { faultyIo, systemError } from '../../faulty-io.ts';
import { drain, event, events, numberOf, SpoolWorld } from './spool-harness.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test('what was flushed comes back as it was, in order, in batches within their limits', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open(undefined, 'disk');
  spool.append(events(0, 5));
  spool.append(events(5, 10));
  assert.equal(await spool.read({ events: 10, bytes: 1e6 }), undefined, 'nothing is given before it is durable');
  await spool.flush();
  const first = await spool.read({ events: 3, bytes: 1e6 });
  assert.deepEqual(first?.events, events(0, 3));
  const { length } = event(3).line;
  assert.deepEqual((await spool.read({ events: 100, bytes: length * 2 }))?.events, events(3, 5));
  assert.deepEqual((await spool.read({ events: 100, bytes: 1 }))?.events, events(5, 6), 'at least one');
  assert.deepEqual(await drain(spool), range(6, 10));
  assert.equal(spool.events, 10);
});

test('files and directories belong to their owner alone', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  spool.append(events(0, 1));
  await spool.flush();
  assert.equal(fs.statSync(world.directory).mode & 0o777, 0o700);
  assert.deepEqual(world.files, ['0000000001.spool']);
  assert.equal(fs.statSync(world.file('0000000001.spool')).mode & 0o777, 0o600);
});

test('acknowledgements come in any order; the place moves over the contiguous prefix, and a restart resumes there', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  spool.append(events(0, 9));
  await spool.flush();
  const batches = [];
  for (let n = 0; n < 3; n += 1) batches.push((await spool.read({ events: 3, bytes: 1e6 }))!);
  const [one, two, three] = batches as [(typeof batches)[0], (typeof batches)[0], (typeof batches)[0]];
  spool.acknowledge(two.receipt);
  spool.acknowledge(two.receipt);
  assert.equal(spool.events, 6);
  await world.commit(spool);
  assert.deepEqual(await drain(await world.open()), range(0, 9), 'the first is not acknowledged yet');
  spool.acknowledge(one.receipt);
  await world.commit(spool);
  assert.deepEqual(await drain(await world.open()), range(6, 9));
  spool.acknowledge(three.receipt);
  assert.ok(spool.isEmpty);
  assert.deepEqual(world.files, ['0000000001.spool'], 'a file stands until the place behind it is durable');
  await world.commit(spool);
  assert.deepEqual(world.files, []);
  spool.append(events(9, 10));
  await spool.flush();
  await spool.close();
  assert.deepEqual(await drain(await world.open()), [9], 'a new file is not taken for acknowledged');
});

test('held events are not given out, but are after a restart unless they were acknowledged', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  spool.append(events(0, 2));
  const held = spool.append(events(2, 4), { isHeld: true });
  spool.append(events(4, 6));
  const lost = spool.append(events(6, 8), { isHeld: true });
  await Promise.all([spool.flush(held), spool.flush(lost)]);
  assert.deepEqual(await drain(spool, true), [0, 1, 4, 5]);
  assert.equal(spool.events, 4);
  spool.acknowledge(held);
  await world.commit(spool);
  await spool.close();
  assert.deepEqual(await drain(await world.open()), [6, 7]);
});

test('held events that are acknowledged do not take those before them along', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  spool.append(events(0, 2));
  const held = spool.append(events(2, 4), { isHeld: true });
  await spool.flush();
  spool.acknowledge(held);
  await world.commit(spool);
  assert.deepEqual(await drain(spool), [0, 1]);
  await spool.close();
  assert.deepEqual(await drain(await world.open()), [0, 1, 2, 3]);
});

test('what is acknowledged before it is written is not written', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  const held = spool.append(events(0, 2), { isHeld: true });
  spool.acknowledge(held);
  await spool.flush(held);
  assert.deepEqual(world.files, []);
  assert.ok(spool.isEmpty);
  // Acknowledged while it is written.
  const other = spool.append(events(2, 4), { isHeld: true });
  const flushed = spool.flush(other);
  spool.acknowledge(other);
  await flushed;
  assert.ok(spool.isEmpty);
  await world.commit(spool);
  assert.deepEqual(world.files, []);
});

test('flushes at the same time share a sync', async (t) => {
  const world = new SpoolWorld(t);
  let syncs = 0;
  const io = faultyIo((call) => {
    if (call === 'fdatasync') syncs += 1;
  });
  const spool = await world.open(io, 'disk');
  const flushes = range(0, 20).map((n) => spool.flush(spool.append([event(n)])));
  await Promise.all(flushes);
  assert.equal(syncs, 2, 'the first one, and one for all that came meanwhile');
  assert.deepEqual(await drain(spool), range(0, 20));
});

test('a large spool is many files, and each is deleted when it is done with', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  for (let n = 0; n < 100; n += 10) {
    spool.append(events(n, n + 10, 5000));
    await spool.flush();
  }
  const count = world.files.length;
  assert.ok(count >= 4, `${count} files`);
  const seen: number[] = [];
  while (!spool.isEmpty) {
    const batch = (await spool.read({ events: 10, bytes: 1e6 }))!;
    seen.push(...batch.events.map(numberOf));
    spool.acknowledge(batch.receipt);
    await world.commit(spool);
  }
  assert.deepEqual(seen, range(0, 100));
  assert.deepEqual(world.files, []);
  assert.equal(spool.bytes, 0);
});

test('a full spool takes nothing, until something was acknowledged and committed', async (t) => {
  const world = new SpoolWorld(t);
  world.config = { ...world.config, maxBytes: 50_000 };
  const spool = await world.open();
  let taken = 0;
  while (spool.hasRoom) {
    spool.append([event(taken, 5000)]);
    taken += 1;
  }
  assert.throws(
    () => spool.append([event(0)]),
    (error) => error instanceof AuditailError && error.code === 'SPOOL_FULL',
  );
  await spool.flush();
  assert.ok(spool.bytes < 50_000 + 6000, `${spool.bytes}`);
  assert.deepEqual(await drain(spool, true), range(0, taken));
  await world.commit(spool);
  assert.ok(spool.hasRoom);
});

test('drop_oldest drops whole files and counts what was not acknowledged', async (t) => {
  const world = new SpoolWorld(t);
  world.config = { ...world.config, maxBytes: 80_000, overflow: 'drop_oldest' };
  const spool = await world.open();
  spool.append(events(0, 2, 5000));
  await spool.flush();
  const inFlight = (await spool.read({ events: 1, bytes: 1 }))!;
  spool.acknowledge(inFlight.receipt);
  const late = (await spool.read({ events: 1, bytes: 1 }))!;
  for (let n = 2; n < 30; n += 2) {
    spool.append(events(n, n + 2, 5000));
    await spool.flush();
    assert.ok(spool.bytes <= 80_000, `${spool.bytes}`);
  }
  spool.acknowledge(late.receipt);
  const kept = await drain(spool);
  assert.deepEqual(kept, range(30 - kept.length, 30));
  const dropped = world.told.map((text) => Number(/^dropped (\d+)$/.exec(text)?.[1]));
  assert.equal(dropped[0], 1, 'one of the first two was acknowledged');
  assert.equal(dropped.reduce((sum, count) => sum + count, 0) + kept.length, 29);
  await world.commit(spool);
  await spool.close();
  world.told.length = 0;
  assert.deepEqual(await drain(await world.open()), kept);
  assert.deepEqual(world.told, []);
});

for (const call of ['open', 'write', 'fdatasync', 'fsync'] as const) {
  test(`a failed ${call} rejects the flush and leaves nothing of it; earlier and later events stay`, async (t) => {
    const world = new SpoolWorld(t);
    let failing = false;
    const spool = await world.open(
      faultyIo((name) => {
        if (failing && name === call) throw systemError('ENOSPC');
      }),
      'disk',
    );
    spool.append(events(0, 3));
    await spool.flush();
    failing = true;
    // A file that is written to already needs no open and no sync of the directory.
    if (call === 'open' || call === 'fsync') {
      assert.deepEqual(await drain(spool, true).catch(() => []), call === 'fsync' ? [0, 1, 2] : []);
      failing = false;
      assert.deepEqual(await drain(spool, true), call === 'fsync' ? [] : [0, 1, 2]);
      await world.commit(spool);
      failing = true;
    }
    const failed = spool.append(events(3, 6));
    for (const attempt of [spool.flush(failed), spool.flush(failed), spool.flush()]) {
      await assert.rejects(attempt, (error) => error instanceof AuditailError && error.code === 'SPOOL_NO_SPACE');
    }
    failing = false;
    const expected = call === 'open' || call === 'fsync' ? [] : [0, 1, 2];
    assert.equal(spool.events, expected.length);
    spool.append(events(6, 8));
    await spool.flush();
    await spool.close();
    const again = await world.open();
    assert.deepEqual(await drain(again), [...expected, 6, 7]);
    assert.deepEqual(world.told, []);
  });
}

test('a file whose sync failed is never synced again', async (t) => {
  const world = new SpoolWorld(t);
  const synced: number[] = [];
  let failing = false;
  const spool = await world.open(
    faultyIo((name) => {
      if (name !== 'fdatasync') return;
      synced.push(world.files.length);
      if (failing) throw systemError('EIO');
    }),
    'disk',
  );
  spool.append(events(0, 2));
  await spool.flush();
  failing = true;
  await assert.rejects(spool.flush(spool.append(events(2, 4))));
  failing = false;
  spool.append(events(2, 4));
  await spool.flush();
  assert.deepEqual(world.files, ['0000000001.spool', '0000000002.spool']);
  assert.deepEqual(synced, [1, 1, 2]);
  assert.deepEqual(await drain(spool), [0, 1, 2, 3]);
});

test('where the torn end of a failed write cannot be cut, it is passed over after a restart', async (t) => {
  const world = new SpoolWorld(t);
  let failing = false;
  const spool = await world.open(
    faultyIo((name, count) => {
      if (failing && (name === 'fdatasync' || name === 'ftruncate')) throw systemError(`EIO${count}`);
    }),
    'disk',
  );
  spool.append(events(0, 2));
  await spool.flush();
  failing = true;
  await assert.rejects(spool.flush(spool.append(events(2, 4))));
  failing = false;
  spool.append(events(4, 6));
  await spool.flush();
  await spool.close();
  assert.deepEqual(await drain(await world.open()), [0, 1, 4, 5]);
  assert.deepEqual(world.told, []);
});

test('a file that cannot be deleted is told, and deleted with the next commit', async (t) => {
  const world = new SpoolWorld(t);
  let failing = true;
  const spool = await world.open(
    faultyIo((name) => {
      if (failing && name === 'unlink') throw systemError('EIO');
    }),
  );
  spool.append(events(0, 2));
  await spool.flush();
  await drain(spool, true);
  await world.commit(spool);
  assert.deepEqual(world.told, ['failed: Error: EIO: injected']);
  assert.equal(world.files.length, 1);
  failing = false;
  await world.commit(spool);
  assert.deepEqual(world.files, []);
});

test('closing writes what was appended, may be repeated, and nothing is taken afterwards', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  spool.append(events(0, 2));
  await spool.close();
  await spool.close();
  assert.throws(() => spool.append(events(2, 3)), /closed/);
  assert.deepEqual(await drain(await world.open()), [0, 1]);
});

test('a file is kept when the durable place lies before what was acknowledged since', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  spool.append(events(0, 4));
  await spool.flush();
  spool.acknowledge((await spool.read({ events: 2, bytes: 1e6 }))!.receipt);
  const durable = spool.place!;
  await drain(spool, true);
  await spool.committed(durable);
  world.place = durable;
  await spool.close();
  assert.deepEqual(await drain(await world.open()), [2, 3]);
});
