import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { pino } from 'pino';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import type { Config, SinkConfig } from '../../src/config/types.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { LogWorld } from './log-world.ts';
import { QUIET_RELOADS, reloaded } from './reloads.ts';
import { SteppedAgent } from './stepped-agent.ts';

/** Wall time; on a slow machine there are fewer runs, not a failure. */
const TIME_LIMIT_MS = 30_000;

const DEADLINE_MS = 20_000;

let excluded = 0;

/** An agent, its logs, and a receiver that is up or down: it never takes what it does not answer. */
class Scene implements AsyncDisposable {
  readonly store: WholeRequestStore;
  readonly receiver: ChaosReceiver;
  readonly world: LogWorld;
  readonly agent: SteppedAgent;

  private constructor(parts: Omit<Scene, typeof Symbol.asyncDispose | 'readAll' | 'until' | 'assertOnce'>) {
    this.store = parts.store;
    this.receiver = parts.receiver;
    this.world = parts.world;
    this.agent = parts.agent;
  }

  static async start(append = true): Promise<Scene> {
    const store = new WholeRequestStore(NDJSON, { keepLines: true });
    const receiver = await ChaosReceiver.start({ store });
    const world = new LogWorld({ append, receiver: receiver.url });
    return new Scene({ store, receiver, world, agent: await SteppedAgent.start(world.config) });
  }

  /** Sweeps and reads until nothing more comes. */
  async readAll(): Promise<void> {
    await this.agent.sweep();
    while (await this.agent.poll());
  }

  /** Goes on reading, and committing, until it holds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (const end = performance.now() + DEADLINE_MS; ; await delay(2)) {
      await this.readAll();
      await this.agent.commit();
      if (holds()) break;
      assert.ok(performance.now() < end, `waited ${DEADLINE_MS} ms for ${what}`);
    }
    await this.agent.commit();
  }

  /** Everything was archived once and received once, and another start sends nothing again. */
  async assertOnce(): Promise<void> {
    const { world, store, agent, receiver } = this;
    // A sink that is ended now has nothing on its way that its receiver could take.
    await agent.reload(world.config);
    await receiver.healthy();
    const { sent } = world.expected;
    await this.until('everything', () => store.stored.compare(sent).lost === 0 && !agent.isBehind && agent.isIdle);
    assert.deepEqual(await world.faults(), []);
    // What stands for a line that is too long to be sent is none of those that were written.
    const stubs = new Set(store.stored.lines.filter((line) => line.includes('longer than max_line_bytes')));
    assert.deepEqual(store.stored.compare(sent), { lost: 0, duplicated: 0, foreign: stubs.size });
    const { total } = store.stored;
    await agent.reload(world.config);
    await this.readAll();
    await agent.stop();
    await using state = AgentState.open(world.config, new Telemetry(pino({ level: 'silent' })));
    await buildAgent(world.config, state).run({ exitAtEof: true });
    assert.equal(store.stored.total, total, 'sent again after another start');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.crash();
    await this.receiver.close();
    this.world[Symbol.dispose]();
  }
}

function writeSome(world: LogWorld, events = 7): void {
  for (let n = 0; n < events; n += 1) for (const log of [0, 1, 2]) world.write(log, 'event', n);
}

const log = fc.nat(2);
const only = <T extends string>(op: T) => fc.record({ op: fc.constant(op) });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      log,
      lines: fc.array(fc.tuple(fc.constantFrom('event', 'text', 'long', 'big'), fc.nat(1000)), {
        minLength: 1,
        maxLength: 12,
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('rotate' as const),
      log,
      style: fc.constantFrom('rename', 'rename-gzip', 'copytruncate'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('receiver' as const), isUp: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('poll' as const), times: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 3, arbitrary: only('sweep') },
  { weight: 3, arbitrary: only('commit') },
  { weight: 2, arbitrary: only('startCommit') },
  { weight: 1, arbitrary: only('rewind') },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('reload' as const),
      change: fc.constantFrom(...QUIET_RELOADS),
      commits: fc.boolean(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take({ world, receiver, agent }: Scene, one: Step): Promise<void> {
  switch (one.op) {
    case 'write':
      for (const [kind, choice] of one.lines) world.write(one.log, kind, choice);
      break;
    case 'rotate':
      world.rotate(one.log, one.style);
      break;
    case 'receiver':
      // It refuses, and breaks no connection: what was taken was answered.
      if (one.isUp) await receiver.healthy();
      else await receiver.behave(() => 'status-401');
      break;
    case 'wait':
      await delay(one.ms);
      break;
    case 'poll':
      for (let n = 0; n < one.times; n += 1) await agent.poll();
      break;
    case 'reload':
      await agent.reload(reloaded(world.config, one.change), one);
      break;
    default:
      await agent[one.op]();
  }
}

test('whatever a reload changes but the sink itself, its receiver gets each event exactly once', async (t) => {
  const options = fuzz(40);
  t.diagnostic(`AUDITAIL_FUZZ_SEED=${options.seed}`);
  const begun = performance.now();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), fc.boolean(), async (steps, append) => {
      // Shrinking a failure may take its time.
      if (performance.now() - begun > TIME_LIMIT_MS && runs > 0) return;
      await using scene = await Scene.start(append);
      for (const one of steps) await take(scene, one);
      assert.equal(scene.agent.gapsTold, 0, 'a gap was told');
      await scene.assertOnce();
      runs += 1;
    }),
    options,
  );
  t.diagnostic(`${runs} runs`);
  assert.ok(runs >= 5, `only ${runs} runs in ${TIME_LIMIT_MS} ms`);
});

test('what a sink holds of a source that is taken away is delivered, and does not come again with the source', async () => {
  await using scene = await Scene.start();
  const { world, agent, receiver, store } = scene;
  await receiver.behave(() => 'status-401');
  writeSome(world);
  await scene.readAll();
  await agent.reload(reloaded(world.config, 'one source fewer'));
  assert.equal(store.stored.total, 0);
  await receiver.healthy();
  // With the answers taken: what the receiver has and the agent does not know of comes again after a crash.
  await scene.until('what the sink held', () => store.stored.total === 21 && agent.isIdle);
  writeSome(world);
  // Whatever the next start knows of that is what was stored.
  await agent.crash();
  const next = await SteppedAgent.start(world.config);
  await next.sweep();
  while (await next.poll());
  while (store.stored.total < 42) await delay(2);
  await next.stop();
  assert.deepEqual(store.stored.compare(world.expected.sent), { lost: 0, duplicated: 0, foreign: 0 });
});

test('a part that is gone when its source is back is no gap for a sink that holds it, or has taken it, meanwhile', async () => {
  for (const isTakenMeanwhile of [false, true]) {
    await using scene = await Scene.start();
    const { world, agent, receiver, store } = scene;
    await receiver.behave(() => 'status-401');
    // Nothing goes to the spool, which would count as taken.
    const patient = { ...world.config, sinks: world.config.sinks.map(patientSink) };
    await agent.reload(patient);
    writeSome(world);
    await scene.readAll();
    for (const log of [1, 2]) world.rotate(log, 'rename');
    await scene.readAll();
    await scene.readAll();
    await agent.reload(reloaded(patient, 'one source fewer'));
    for (const log of [1, 2]) world.logs[log]!.writer.prune(0);
    if (isTakenMeanwhile) {
      await receiver.healthy();
      await scene.until('what the sink held', () => store.stored.total === 21);
    }
    await agent.reload(patient);
    for (let round = 0; round < 3; round += 1) await scene.readAll();
    assert.equal(agent.gapsTold, 0);
    await receiver.healthy();
    await scene.until('what the sink held', () => store.stored.total === 21);
    await scene.assertOnce();
  }
});

for (const [what, change] of [
  ['that changes nothing', (config: Config) => reloaded(config, 'nothing')],
  ['that excludes something else', withExclude],
] as const) {
  test(`a part that is deleted is read on over a reload ${what}, for the archive and for a sink that is behind`, async () => {
    await using scene = await Scene.start();
    const { world, agent, receiver } = scene;
    await receiver.down();
    for (let part = 0; part < 4; part += 1) {
      for (let n = 0; n < 6; n += 1) for (const log of [0, 1, 2]) world.write(log, log === 0 ? 'event' : 'big', n);
      await agent.sweep();
      // Not all of it: the rest is read after the reload.
      await agent.poll();
      await agent.commit();
      for (const log of [0, 1, 2]) world.rotate(log, 'rename');
      await agent.sweep();
      for (const { writer } of world.logs) writer.prune(0);
      await agent.reload(change(world.config));
    }
    while (await agent.poll());
    assert.equal(agent.isBehind, true);
    await agent.reload(change(world.config));
    assert.equal(agent.gapsTold, 0);
    await scene.assertOnce();
  });
}

test('a configuration that cannot start takes nothing from the one that goes on: no log that is open, no connection', async () => {
  await using scene = await Scene.start();
  const { world, agent, receiver } = scene;
  await receiver.behave(() => 'status-401');
  writeSome(world);
  await agent.sweep();
  for (const log of [0, 1, 2]) world.rotate(log, 'rename');
  await agent.sweep();
  for (const { writer } of world.logs) writer.prune(0);
  const foreign = path.join(world.root, 'foreign');
  fs.mkdirSync(path.join(foreign, 'all'), { recursive: true });
  fs.writeFileSync(path.join(foreign, 'all', 'audit.alpha.2026011509.log.gz'), 'of another state');
  const sinks = world.config.sinks.map((sink) =>
    sink.type === 'file' ? { ...sink, name: `other ${sink.name}`, path: sink.path.replace(world.root, foreign) } : sink,
  );
  const sources = world.config.sources.map((source) => ({ ...source, path: path.join(world.root, 'elsewhere') }));
  await agent.refuse({ ...world.config, sources: sources.slice(0, 1), sinks });
  while (await agent.poll());
  await agent.sweep();
  assert.equal(agent.gapsTold, 0);
  await scene.assertOnce();
});

test('a reload in which nothing can be committed repeats nothing for a sink that is kept', async () => {
  await using scene = await Scene.start();
  const { world, agent, store } = scene;
  writeSome(world);
  await scene.readAll();
  while (store.stored.total < 21) await delay(2);
  await agent.reload(reloaded(world.config, 'nothing'), { commits: false });
  writeSome(world);
  await scene.assertOnce();
});

test('a sink that a reload changes or removes is drained or spooled, and goes on there when it is back', async () => {
  for (const change of ['other batches', 'no receiver', 'other durability'] as const) {
    await using scene = await Scene.start();
    const { world, agent, receiver } = scene;
    await receiver.down();
    writeSome(world);
    await scene.readAll();
    await agent.reload(reloaded(world.config, change));
    for (const log of [0, 1, 2]) world.rotate(log, 'rename');
    writeSome(world);
    await scene.readAll();
    await scene.assertOnce();
  }
});

test('the share of a sink that is kept changes with the memory, and it is behind or not as before', async () => {
  await using scene = await Scene.start();
  const { world, agent, receiver } = scene;
  await receiver.down();
  const patient = { ...world.config, sinks: world.config.sinks.map((sink) => patientSink(sink)) };
  await agent.reload(patient);
  for (let n = 0; n < 4; n += 1) world.write(1, 'big', n);
  await scene.readAll();
  assert.equal(agent.isBehind, false);
  await agent.reload({ ...patient, memoryLimit: 1024 * 1024 });
  world.write(1, 'event', 1);
  await scene.readAll();
  assert.equal(agent.isBehind, true, 'what it holds is more than its share now');
  await agent.reload(patient);
  await scene.readAll();
  assert.equal(agent.isBehind, false);
  await scene.assertOnce();
});

test('counters go on over a reload, and gauges of what is gone are dropped', async () => {
  await using scene = await Scene.start();
  const { world, agent } = scene;
  const { registry } = agent.state.telemetry;
  const value = async (name: string, labels: Record<string, string>) => {
    const found = (await registry.getMetricsAsJSON()).find((metric) => metric.name === `auditail_${name}`);
    return found?.values.find((one) => Object.entries(labels).every(([key, text]) => one.labels[key] === text))?.value;
  };
  writeSome(world);
  await scene.until('the events', () => scene.store.stored.total === 21);
  const before = await value('received_events_total', { source: 'many' });
  assert.equal(before, 14);
  assert.equal(await value('http_delivered_events_total', { sink: 'receiver' }), 21);
  assert.equal(await value('http_queue_bytes', { sink: 'receiver' }), 0);
  assert.equal(await value('unread_bytes', { source: 'many', kind: 'live' }), 0);
  const { sources, sinks, ...rest } = world.config;
  await agent.reload({
    ...rest,
    sources: sources.filter(({ name }) => name === 'one'),
    sinks: sinks.filter(({ type }) => type === 'file'),
  });
  await scene.readAll();
  assert.equal(await value('received_events_total', { source: 'many' }), 14);
  assert.equal(await value('http_delivered_events_total', { sink: 'receiver' }), 21);
  assert.equal(await value('http_queue_bytes', { sink: 'receiver' }), undefined);
  assert.equal(await value('unread_bytes', { source: 'many' }), undefined);
  assert.equal(await value('unread_bytes', { source: 'one', kind: 'live' }), 0);
  await scene.assertOnce();
});

function patientSink(sink: SinkConfig): SinkConfig {
  return sink.type === 'http' ? { ...sink, spool: { ...sink.spool, afterMs: 3_600_000 } } : sink;
}

/** Each time another pattern, that nothing fits. */
function withExclude(config: Config): Config {
  excluded += 1;
  return { ...config, sources: config.sources.map((source) => ({ ...source, exclude: [`${excluded}.tmp`] })) };
}
