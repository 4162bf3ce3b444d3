import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EVENT_OVERHEAD_BYTES } from '../../../src/sink/http/outgoing-batch.ts';
import { SinkWorld, type WorldOptions } from './sink-world.ts';

async function start(t: TestContext, options: WorldOptions = {}): Promise<SinkWorld> {
  const world = new SinkWorld(options, t);
  await world.start();
  return world;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

test('a batch is sent when it is full, and what is left when its age has come', async (t) => {
  const world = await start(t);
  world.write(7);
  world.hand();
  await world.until(() => world.received.length === 5);
  assert.deepEqual(world.requests, [range(0, 5)]);
  assert.equal(world.sink.isIdle, false);
  world.clock.advance(999);
  assert.equal(world.requests.length, 1);
  world.clock.advance(1);
  await world.until(() => world.sink.isIdle);
  assert.deepEqual(world.requests, [range(0, 5), [5, 6]]);
  assert.deepEqual(world.occurrences.told, []);
});

test('a batch is closed before an event that would make it larger than a request may be', async (t) => {
  const three = 3 * (EVENT_OVERHEAD_BYTES + '{"n":0,"life":1}'.length);
  const world = await start(t, { config: { batch: { events: 100, bytes: three, ageMs: 1000 } } });
  world.write(4);
  world.hand();
  await world.until(() => world.received.length === 3);
  assert.deepEqual(world.requests, [[0, 1, 2]]);
});

test('an event that is larger than a batch and the share of memory goes alone', async (t) => {
  const world = await start(t, { config: { batch: { events: 5, bytes: 10, ageMs: 1000 } }, share: 10 });
  world.write(3);
  assert.equal(world.hand(), true);
  assert.equal(world.sink.hasRoom, false);
  await world.finish();
  assert.deepEqual(world.requests, [[0], [1], [2]]);
});

test('what is taken moves the checkpoint over the contiguous prefix only', async (t) => {
  const world = await start(t, { config: { concurrency: 2 } });
  world.receiver = 'half';
  world.write(10);
  world.hand();
  // The first request is taken by half, and the other not at all.
  await world.until(() => world.received.length === 3 && world.requests.length === 2);
  await world.commit();
  assert.equal(world.committedLines, 0);
  world.receiver = 'up';
  await world.until(() => world.sink.isIdle);
  await world.commit();
  assert.equal(world.committedLines, 10);
});

test('a sink whose share is in memory has no room, and wakes the agent when it has', async (t) => {
  const world = await start(t, { share: 1000 });
  world.receiver = 'down';
  world.write(20);
  assert.equal(world.hand(5), true);
  assert.equal(world.hand(5), false);
  const { wakes } = world;
  world.receiver = 'up';
  await world.until(() => world.wakes > wakes);
  assert.equal(world.hand(5), true);
  await world.finish();
  assert.deepEqual(world.numbers, range(0, 20));
});

for (const unparsed of ['wrap', 'skip'] as const) {
  test(`unparsed: ${unparsed}; a note in place of an oversize line is sent all the same`, async (t) => {
    const world = await start(t, { config: { unparsed, batch: { events: 100, bytes: 1 << 20, ageMs: 1000 } } });
    const { sink } = world;
    world.append(0);
    world.append(1, 'not JSON');
    const origin = { source: 's', segment: 1, path: '/log', offset: 200, unparsed: undefined };
    const long = await sink.beginLong('audit._oversize', 0, origin, 5000);
    await long.write();
    long.end();
    sink.ledger.handed(1, 300);
    await world.finish();
    const got = world.received.map((one) => JSON.stringify(one));
    const stub =
      '{"message":"","reason":"the line is longer than max_line_bytes","file":"/log","offset":200,"length":5000}';
    const wrapped = '{"message":"{\\"n\\":1,\\"life\\":1}","reason":"not JSON"}';
    assert.deepEqual(got, ['{"n":0,"life":1}', ...(unparsed === 'wrap' ? [wrapped] : []), stub]);
    assert.deepEqual(world.occurrences.told, unparsed === 'wrap' ? [] : ['skipped 1']);
    await world.commit();
    assert.equal(world.committedLines, 3);
  });
}

test('the line is copied: the buffer and the origin are used again after the call', async (t) => {
  const world = await start(t);
  const buffer = Buffer.from('{"n":1}');
  const origin = { source: 's', segment: 1, path: '/log', offset: 0, unparsed: undefined as string | undefined };
  world.sink.append('audit.t', 0, buffer, 0, buffer.length, origin);
  buffer.fill(0);
  origin.offset = 77;
  world.sink.ledger.handed(1, 100);
  await world.finish();
  assert.deepEqual(world.received, [{ n: 1 }]);
});

test('a drain waits for the receiver as long as its grace, then spools the rest; it may be repeated', async (t) => {
  const world = await start(t);
  world.receiver = 'down';
  world.write(12);
  world.hand();
  await world.until(() => world.requests.length === 1);
  const first = world.sink.drain(5000);
  const second = world.sink.drain(5000);
  world.clock.advance(4999);
  await world.until(() => world.spool.events === 0);
  world.clock.advance(1);
  await Promise.all([first, second, world.sink.drain(5000)]);
  assert.equal(world.sink.hasRoom, false);
  assert.equal(world.spool.events, 12);
  await world.commit();
  assert.equal(world.committedLines, 12);
  await world.sink.close();
  await world.sink.close();
  world.receiver = 'up';
  await world.start();
  await world.finish();
  assert.deepEqual(
    world.received,
    range(0, 12).map((n) => ({ n, life: 1 })),
  );
});

test('a drain ends as soon as the receiver has everything', async (t) => {
  const world = await start(t);
  world.write(7);
  world.hand();
  // No time passes: only what is delivered can end it.
  await world.sink.drain(60_000);
  assert.deepEqual(world.numbers, range(0, 7));
  assert.equal(world.sink.isIdle, true);
  await world.commit();
  assert.equal(world.committedLines, 7);
});

test('what a drain cannot spool stays in the log', async (t) => {
  const world = await start(t);
  world.receiver = 'down';
  world.writeError = 'ENOSPC';
  world.write(7);
  world.hand();
  const drained = world.sink.drain(1000);
  world.clock.advance(1000);
  await drained;
  await world.commit();
  assert.deepEqual(world.occurrences.told, ['failed SPOOL_NO_SPACE']);
  assert.equal(world.committedLines, 0);
  assert.equal(world.sink.isIdle, false);
});

test('a sink that never started can be drained and closed', async (t) => {
  const world = new SinkWorld({}, t);
  const sink = world.build();
  assert.equal(sink.hasRoom, false);
  await sink.drain(1000);
  await sink.close();
});

test('an error of the program while sending is told; nothing that it held counts as taken', async (t) => {
  const world = await start(t, { config: { concurrency: 2 } });
  world.broken = new TypeError('x is not a function');
  world.write(5);
  world.hand();
  await world.until(() => world.sink.failure !== undefined);
  assert.equal(world.sink.failure, world.broken);
  assert.ok(world.wakes > 0);
  await world.commit();
  assert.equal(world.committedLines, 0);
  const drained = world.sink.drain(1000);
  world.clock.advance(1000);
  await drained;
  assert.equal(world.spool.events, 5);
  await world.sink.close();
});
