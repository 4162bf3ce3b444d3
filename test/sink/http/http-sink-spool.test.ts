import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LINE_BYTES, SinkWorld, type WorldOptions } from './sink-world.ts';

async function start(t: TestContext, options: WorldOptions = {}): Promise<SinkWorld> {
  const world = new SinkWorld(options, t);
  await world.start();
  return world;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** A sink whose receiver is away, with that many lines in its spool. */
async function startSpooled(t: TestContext, lines: number, options: WorldOptions = {}): Promise<SinkWorld> {
  const world = await start(t, options);
  world.receiver = 'down';
  world.write(lines);
  world.hand();
  world.clock.advance(2000);
  await world.until(() => world.sink.ledger.takenTo(1) === lines * LINE_BYTES);
  return world;
}

/** The spool is small: it takes two or three batches. */
const SMALL = { spool: { afterMs: 2000, maxBytes: 1500, overflow: 'block' } } as const;

test('what is not taken in time goes to disk with what is being sent, and counts as taken', async (t) => {
  const world = await startSpooled(t, 12);
  assert.deepEqual(world.occurrences.told, ['spooling']);
  await world.until(() => world.sink.ledger.takenTo(1) === 12 * LINE_BYTES);
  await world.commit();
  assert.equal(world.committedLines, 12);
  assert.equal(world.sink.isIdle, false);
  world.receiver = 'up';
  await world.finish();
  assert.deepEqual(world.numbers, range(0, 12));
  assert.deepEqual(world.occurrences.told, ['spooling', 'drained']);
});

test('while it spools a batch waits for the commit, and is sent once more by its age afterwards', async (t) => {
  const world = await startSpooled(t, 5);
  world.write(2);
  world.hand();
  world.clock.advance(60_000);
  assert.equal(world.spool.events, 5);
  await world.commit();
  await world.until(() => world.spool.events === 7);
  world.write(2);
  world.hand();
  world.receiver = 'up';
  await world.until(() => world.occurrences.told.includes('drained'));
  assert.deepEqual(world.numbers, range(0, 7));
  world.clock.advance(1000);
  await world.until(() => world.sink.isIdle);
  assert.deepEqual(world.requests.at(-1), [7, 8]);
});

test('a restart sends the spool first, in order, and then the log', async (t) => {
  const world = await startSpooled(t, 12);
  await world.commit();
  world.write(10);
  await world.crash();
  world.receiver = 'up';
  await world.start();
  world.hand();
  await world.finish();
  assert.deepEqual(world.numbers, range(0, 22));
});

test('a batch that is delivered while it is stored leaves nothing behind, also no state', async (t) => {
  const world = await start(t);
  world.receiver = 'down';
  world.write(5);
  world.hand();
  await world.until(() => world.requests.length === 1);
  world.receiver = 'up';
  world.clock.advance(2000);
  await world.until(() => world.sink.isIdle);
  await world.until(() => world.occurrences.told.length === 2);
  assert.deepEqual(world.occurrences.told, ['spooling', 'drained']);
  world.write(5);
  world.hand();
  await world.until(() => world.received.length === 10);
  assert.equal(world.spool.events, 0);
});

test('a spool that cannot be written: events wait in memory, then in the log, and go out once the receiver is back', async (t) => {
  const world = await start(t, { share: 6000 });
  world.receiver = 'down';
  world.writeError = 'ENOSPC';
  world.write(50);
  while (world.hand(5));
  world.clock.advance(2000);
  await world.until(() => world.occurrences.told.includes('failed SPOOL_NO_SPACE'));
  assert.equal(world.sink.hasRoom, false);
  for (let i = 0; i < 3; i += 1) await world.commit();
  assert.equal(world.committedLines, 0);
  world.receiver = 'up';
  await world.finish();
  assert.deepEqual(world.numbers, range(0, 50));
  await world.commit();
  assert.equal(world.committedLines, 50);
});

test('a spool that fails when the receiver is back already: whoever is idle is told', async (t) => {
  const world = await startSpooled(t, 5);
  world.writeError = 'EIO';
  world.receiver = 'up';
  await world.until(() => world.received.length === 5);
  world.write(5);
  world.hand();
  await world.finish();
  assert.deepEqual(world.numbers, range(0, 10));
});

test('a write that fails again and again while nothing is in the spool does not keep the process busy', async (t) => {
  const world = await start(t);
  world.receiver = 'down';
  world.writeError = 'ENOSPC';
  world.write(10);
  world.hand();
  const failures = () => world.occurrences.told.filter((what) => what.startsWith('failed')).length;
  for (let i = 1; i < 5; i += 1) {
    world.clock.advance(5000);
    await world.commit();
    await world.until(() => failures() === i);
    await world.until(() => world.requests.length === 1);
  }
  assert.equal(failures(), 4);
  assert.ok(!world.occurrences.told.includes('drained'));
  world.writeError = undefined;
  world.clock.advance(5000);
  await world.until(() => world.spool.events === 10);
  assert.deepEqual(world.requests, [range(0, 5)]);
});

test('the disk has room again: what waited is written without anything else happening', async (t) => {
  const world = await start(t);
  world.receiver = 'down';
  world.writeError = 'ENOSPC';
  world.write(5);
  world.hand();
  await world.until(() => world.requests.length === 1);
  world.clock.advance(2000);
  await world.until(() => world.occurrences.told.length === 2);
  world.writeError = undefined;
  world.clock.advance(4999);
  assert.equal(world.spool.events, 0);
  world.clock.advance(1);
  await world.until(() => world.sink.ledger.takenTo(1) === 5 * LINE_BYTES);
  await world.commit();
  assert.equal(world.committedLines, 5);
});

test('a spool that cannot be read for a while is read later', async (t) => {
  const world = await startSpooled(t, 15);
  world.readError = 'EMFILE';
  world.receiver = 'up';
  await world.until(() => world.occurrences.told.includes('failed SPOOL_READ'));
  const { length } = world.occurrences.told;
  for (let i = 0; i < 20; i += 1) await world.until(() => true);
  assert.equal(world.occurrences.told.length, length);
  world.readError = undefined;
  world.clock.advance(5000);
  await world.until(() => world.sink.isIdle);
  assert.deepEqual(world.numbers, range(0, 15));
});

test('block: a full spool is sent to its end before the sink takes more, and then the log', async (t) => {
  const world = await start(t, { config: SMALL, share: 6000 });
  world.receiver = 'down';
  world.write(60);
  while (world.hand(5));
  world.clock.advance(2000);
  await world.until(() => !world.hand(5) && world.occurrences.told.includes('full'));
  const spooled = world.spool.events;
  assert.ok(spooled > 5 && spooled < 40, `${spooled}`);
  world.receiver = 'half';
  await world.until(() => world.received.length === 3);
  assert.equal(world.sink.hasRoom, false);
  world.receiver = 'up';
  await world.until(() => world.spool.events === 0);
  await world.finish();
  assert.deepEqual(world.numbers, range(0, 60));
  assert.equal(world.occurrences.told.filter((what) => what === 'drained').length, 1);
});

test('block: what found no room in the spool is sent from memory when the spool is empty, without a commit', async (t) => {
  const world = await start(t, { config: SMALL });
  world.receiver = 'down';
  world.write(30);
  world.hand();
  world.clock.advance(2000);
  await world.until(() => world.spool.events >= 10);
  assert.ok(world.spool.events < 30);
  world.receiver = 'up';
  await world.until(() => world.sink.isIdle);
  assert.deepEqual(world.numbers, range(0, 30));
});

test('block: a commit makes room for what found none', async (t) => {
  const world = await start(t, { config: SMALL });
  world.receiver = 'down';
  world.write(30);
  world.hand();
  world.clock.advance(2000);
  await world.until(() => world.spool.events >= 10);
  const { events } = world.spool;
  world.receiver = 'half';
  await world.until(() => world.received.length === 3);
  // The rest of the first request, and one batch; then it is away again.
  world.onRequest = () => {
    if (world.received.length >= 10) world.receiver = 'down';
  };
  world.receiver = 'up';
  await world.until(() => world.received.length >= 10 && world.spool.events <= events - 10);
  await world.commit();
  await world.until(() => world.received.length + world.spool.events >= 20);
});

test('drop_oldest: the sink goes on taking, and what made room is counted', async (t) => {
  const config = { spool: { afterMs: 2000, maxBytes: 4000, overflow: 'drop_oldest' } } as const;
  const world = await start(t, { config });
  world.receiver = 'down';
  world.write(5);
  world.hand();
  world.clock.advance(2000);
  for (let i = 0; i < 40; i += 1) {
    await world.until(() => world.sink.hasRoom);
    world.write(5);
    world.hand();
    await world.commit();
    await world.until(() => world.sink.ledger.takenTo(1) === world.written * LINE_BYTES);
    assert.ok(world.spool.bytes <= 4000, `${world.spool.bytes}`);
  }
  world.receiver = 'up';
  await world.finish();
  assert.ok(world.occurrences.dropped > 100);
  const distinct = new Set(world.numbers);
  assert.ok(205 - distinct.size <= world.occurrences.dropped);
  assert.ok(distinct.size >= 205 - world.occurrences.dropped);
  assert.ok(distinct.has(204));
  assert.deepEqual(
    world.numbers,
    world.numbers.toSorted((a, b) => a - b),
  );
});

test('a drain while it spools does not wait for the receiver', async (t) => {
  const world = await startSpooled(t, 5);
  world.write(7);
  world.hand();
  await world.sink.drain(60_000);
  assert.equal(world.spool.events, 12);
  await world.commit();
  assert.equal(world.committedLines, 12);
  await world.sink.close();
});

test('close while the spool is being written waits for that', async (t) => {
  const world = await start(t);
  world.receiver = 'down';
  world.write(12);
  world.hand();
  world.clock.advance(2000);
  await world.sink.close();
  assert.deepEqual(world.occurrences.told, ['spooling']);
  assert.equal(world.spool.events, 12);
});
