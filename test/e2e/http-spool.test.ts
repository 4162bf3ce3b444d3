/** The spool over restarts and crashes: what was in it comes first, and once more the log has what it lost. */
import assert from 'node:assert/strict';
import { closeSync, copyFileSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { HEADER_BYTES } from '../../src/sink/http/spool/segment-header.ts';
import type { LogLine } from '../helpers/agent-process.ts';
import { assertReceivedOnce, ended, httpSink, received, told, withSinks } from './http-scene.ts';
import { HOUR_START, Scene } from './scene.ts';

interface Spooled extends AsyncDisposable {
  readonly scene: Scene;
  readonly store: WholeRequestStore;
  readonly receiver: ChaosReceiver;
  readonly config: Record<string, unknown>;
  readonly events: number;
  /** The spool's files, oldest first. */
  files(): string[];
  numbers(): number[];
}

/** A log of some MB that is in the spool as far as that goes; nothing was received, and no agent runs. */
async function spooled(end: 'SIGTERM' | 'SIGKILL', maxBytes: string, megabytes = 8): Promise<Spooled> {
  const stack = new AsyncDisposableStack();
  const scene = stack.use(new Scene());
  const store = new WholeRequestStore(NDJSON, { keepLines: true });
  const receiver = stack.use(await ChaosReceiver.start({ store }));
  await receiver.down();
  const config = withSinks(
    scene.config({ memory_limit: '8MiB', source: { max_line_bytes: '256KiB' }, shutdown_timeout: '2s' }),
    httpSink('hook', receiver.url, {
      concurrency: 1,
      batch: { age: '30ms', bytes: '128KiB' },
      spool: { after: '100ms', max_bytes: maxBytes },
    }),
  );
  const agent = scene.start({ config });
  scene.write(100, { filler: 900 });
  await agent.waitFor('spooling', () => told(agent.log, 'spooling').length > 0);
  for (let part = 1; part <= megabytes; part++) {
    scene.write(1000, { filler: 900, timeMs: HOUR_START + part * 1000 });
    scene.writer.rotate('rename');
  }
  await scene.archived(agent);
  await scene.committed(agent);
  if (end === 'SIGTERM') await ended(agent);
  else await agent.kill();
  const directory = join(scene.state, 'spool', 'hook');
  return {
    scene,
    store,
    receiver,
    config,
    events: 100 + megabytes * 1000,
    files: () =>
      readdirSync(directory)
        .filter((name) => name.endsWith('.spool'))
        .sort()
        .map((name) => join(directory, name)),
    numbers: () => store.stored.lines.map((line) => Number(JSON.parse(line.toString()).auditID)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Sends everything, and live events after it. Gives the log of the agent. */
async function sendAll({ scene, store, receiver, config, events }: Spooled): Promise<readonly LogLine[]> {
  await receiver.healthy();
  const agent = scene.start({ config });
  await received(agent, store.stored, events);
  scene.write(10, { timeMs: HOUR_START + 9000 });
  await received(agent, store.stored, events + 10);
  await ended(agent);
  await scene.assertExact();
  return agent.log;
}

/** The number of the first event that came before an earlier one; -1 where all came in order. */
function firstStep(numbers: readonly number[]): number {
  return numbers.findIndex((number, index) => index > 0 && number < numbers[index - 1]!);
}

describe('a restart', () => {
  test('with a full spool: it is sent first, then the rest of the log, in order', async () => {
    await using world = await spooled('SIGTERM', '1MiB');
    await sendAll(world);
    assert.equal(firstStep(world.numbers()), -1);
    assertReceivedOnce(world.scene.writer.expected, world.store.stored);
    assert.deepEqual(world.files(), [], 'what is sent is deleted');
  });

  test('that takes place while the receiver is still away changes nothing', async () => {
    await using world = await spooled('SIGTERM', '1MiB');
    for (const end of ['SIGKILL', 'SIGTERM'] as const) {
      const agent = world.scene.start({ config: world.config });
      await agent.waitFor('a full spool', () => told(agent.log, 'spool_full').length > 0);
      if (end === 'SIGTERM') await ended(agent);
      else await agent.kill();
    }
    assert.equal(world.store.stored.total, 0);
    await sendAll(world);
    assert.equal(firstStep(world.numbers()), -1);
    assertReceivedOnce(world.scene.writer.expected, world.store.stored);
  });

  test('after a kill: nothing is lost, and no more comes twice than one commit held', async () => {
    await using world = await spooled('SIGKILL', '64MiB');
    await sendAll(world);
    const { lost, foreign, duplicated } = world.store.stored.compare(world.scene.writer.expected);
    assert.deepEqual({ lost, foreign }, { lost: 0, foreign: 0 });
    assert.ok(duplicated <= 4096, `${duplicated} events came twice`);
  });
});

describe('what a crash leaves of the last write', () => {
  for (const [what, tear] of Object.entries({
    'a record without its end': (file: string) =>
      append(file, readFileSync(file).subarray(HEADER_BYTES, HEADER_BYTES + 700)),
    'a length and nothing behind it': (file: string) => append(file, Buffer.from([0, 0, 4, 0])),
    'bytes that were allocated and never written': (file: string) => append(file, Buffer.alloc(4096)),
    'random bytes': (file: string) => append(file, Buffer.from('no record at all '.repeat(20))),
  })) {
    test(`${what}: it is cut off, and nothing is lost`, async () => {
      await using world = await spooled('SIGKILL', '64MiB', 2);
      tear(world.files().at(-1)!);
      const log = await sendAll(world);
      assert.equal(log.filter(({ message }) => message === 'unfinished end of the spool cut off').length, 1);
      assert.deepEqual(told(log, 'spool_damaged'), []);
      const { lost, foreign } = world.store.stored.compare(world.scene.writer.expected);
      assert.deepEqual({ lost, foreign }, { lost: 0, foreign: 0 });
    });
  }
});

test('a spool file that is damaged in the middle: the rest is sent, and the damage is told and kept', async () => {
  await using world = await spooled('SIGKILL', '64MiB', 2);
  const [first] = world.files();
  const original = join(world.scene.root, 'original');
  copyFileSync(first!, original);
  const fd = openSync(first!, 'r+');
  writeSync(fd, Buffer.alloc(3000, 0xff), 0, 3000, 50_000);
  closeSync(fd);
  await world.receiver.healthy();
  const agent = world.scene.start({ config: world.config });
  await agent.waitFor('the spool to be sent', () => told(agent.log, 'spool_drained').length > 0);
  const damaged = told(agent.log, 'spool_damaged');
  assert.equal(damaged.length, 1);
  await agent.waitFor('the file to be put aside', () => world.files().length === 0);
  await ended(agent);
  const { lost, foreign } = world.store.stored.compare(world.scene.writer.expected);
  assert.ok(lost > 0 && lost < 10, `${lost} events lost with 3000 bytes`);
  assert.equal(foreign, 0);
  const kept = String(damaged[0]!.kept);
  assert.equal(statSync(kept).size, statSync(original).size);
});

function append(file: string, bytes: Buffer): void {
  const fd = openSync(file, 'a');
  writeSync(fd, bytes);
  closeSync(fd);
}
