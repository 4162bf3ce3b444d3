import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { EVENT_OVERHEAD_BYTES } from '../../../src/sink/http/outgoing-batch.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';
import { type Receiver, SinkWorld } from './sink-world.ts';

type Step =
  | { readonly kind: 'write' | 'turns' | 'time'; readonly amount: number }
  | { readonly kind: 'receiver'; readonly receiver: Receiver }
  | { readonly kind: 'disk'; readonly code: 'ENOSPC' | 'EIO' | undefined }
  | { readonly kind: 'reads'; readonly code: 'EMFILE' | undefined }
  | { readonly kind: 'commit' | 'crash' | 'stop' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write'), amount: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('turns'), amount: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('time'), amount: fc.integer({ min: 1, max: 6000 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('receiver'), receiver: fc.constantFrom('up', 'half', 'down', 'down') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('disk'), code: fc.constantFrom('ENOSPC', 'EIO', undefined, undefined) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reads'), code: fc.constantFrom('EMFILE', undefined) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('commit') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop') }) },
) as fc.Arbitrary<Step>;

const LINE_COST = EVENT_OVERHEAD_BYTES + '{"n":999,"life":99}'.length;
const BATCH_EVENTS = 5;
const CHUNK_LINES = 7;

interface Setting {
  readonly concurrency: number;
  readonly shareLines: number;
  readonly spoolBytes: number;
  readonly overflow: 'block' | 'drop_oldest';
}

const setting: fc.Arbitrary<Setting> = fc.record({
  concurrency: fc.constantFrom(1, 1, 2, 3),
  shareLines: fc.constantFrom(1, 12, 60),
  spoolBytes: fc.constantFrom(1000, 3000, 1 << 20),
  overflow: fc.constantFrom('block', 'block', 'drop_oldest'),
});

function newWorld({ concurrency, shareLines, spoolBytes, overflow }: Setting): SinkWorld {
  return new SinkWorld({
    share: shareLines * LINE_COST,
    config: {
      concurrency,
      batch: { events: BATCH_EVENTS, bytes: 1 << 20, ageMs: 1000 },
      spool: { afterMs: 2000, maxBytes: spoolBytes, overflow },
    },
  });
}

async function take(world: SinkWorld, one: Step): Promise<void> {
  switch (one.kind) {
    case 'write':
      world.write(one.amount);
      break;
    case 'turns':
      for (let i = 0; i < one.amount; i += 1) await turn();
      break;
    case 'time':
      world.clock.advance(one.amount);
      break;
    case 'receiver':
      world.receiver = one.receiver;
      break;
    case 'disk':
      world.writeError = one.code;
      break;
    case 'reads':
      world.readError = one.code;
      break;
    case 'commit':
      await world.commit();
      break;
    case 'crash':
      await world.crash();
      await restart(world);
      break;
    case 'stop': {
      const drained = world.sink.drain(1000);
      world.clock.advance(1000);
      await drained;
      await world.commit();
      await world.sink.close();
      await restart(world);
      break;
    }
  }
  while (world.hand(CHUNK_LINES));
}

/** A disk that cannot be read or written would refuse the start. */
async function restart(world: SinkWorld): Promise<void> {
  const { readError, writeError } = world;
  world.readError = undefined;
  world.writeError = undefined;
  await world.start();
  world.readError = readError;
  world.writeError = writeError;
}

/** With one sender: what earlier lives left in the spool comes before what was read in this one; both in order. */
function assertOrder({ received, receivedIn }: SinkWorld): void {
  for (let life = 1; life <= Math.max(0, ...receivedIn); life += 1) {
    const got = received.filter((_, index) => receivedIn[index] === life);
    const own = got.findIndex((one) => one.life === life);
    const left = own === -1 ? got : got.slice(0, own);
    const read = own === -1 ? [] : got.slice(own);
    assert.ok(
      read.every((one) => one.life === life),
      `the spool of an earlier life after the log: ${JSON.stringify(got)}`,
    );
    for (const list of [left, read]) {
      const keys = list.map((one) => one.life * 1e6 + one.n);
      assert.deepEqual(
        keys,
        keys.toSorted((a, b) => a - b),
      );
    }
  }
}

test('whatever happens in between: nothing is lost, order is kept, memory is bounded, and the end is idle', async () => {
  await fc.assert(
    fc.asyncProperty(setting, fc.array(step, { maxLength: 60 }), async (set, steps) => {
      using world = newWorld(set);
      await world.start();
      const inFlight = set.concurrency * BATCH_EVENTS;
      const bound = world.share + (CHUNK_LINES + BATCH_EVENTS + inFlight) * LINE_COST;
      for (const one of steps) {
        await take(world, one);
        const { bytes } = world.occurrences;
        assert.ok(bytes >= 0 && bytes <= bound, `${bytes} of ${bound} bytes in memory`);
      }
      world.receiver = 'up';
      world.writeError = undefined;
      world.readError = undefined;
      await world.finish();
      assert.equal(world.sink.failure, undefined);
      const missing = world.written - new Set(world.numbers).size;
      if (set.overflow === 'block') assert.equal(missing, 0);
      else assert.ok(missing <= world.occurrences.dropped, `${missing} missing, ${world.occurrences.dropped} dropped`);
      if (set.concurrency === 1) assertOrder(world);
      await world.commit();
      await world.commit();
      assert.equal(world.occurrences.bytes, 0);
      assert.equal(world.committedLines, world.written);
      await world.sink.drain(0);
      await world.sink.close();
    }),
    fuzz(150),
  );
});
