import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { pino } from 'pino';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import type { ChaosAct } from '../../demo/receivers/chaos-schedule.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { LogWorld } from './log-world.ts';
import { RELOADS, reloaded } from './reloads.ts';
import { SteppedAgent } from './stepped-agent.ts';

/** Wall time; on a slow machine there are fewer runs, not a failure. */
const TIME_LIMIT_MS = 40_000;

/** One that takes so long stands still. */
const HANG_MS = 30_000;

const KINDS = ['event', 'clusterWide', 'repeated', 'text', 'long', 'big'] as const;
const STYLES = ['rename', 'rename-gzip', 'copytruncate'] as const;
const ACTS = ['accept', 'status-503', 'reset-before', 'reset-after', 'status-401'] as const satisfies ChaosAct[];

class Scene implements AsyncDisposable {
  readonly store: WholeRequestStore;
  readonly receiver: ChaosReceiver;
  readonly world: LogWorld;

  private constructor(store: WholeRequestStore, receiver: ChaosReceiver, append: boolean) {
    this.store = store;
    this.receiver = receiver;
    this.world = new LogWorld({ append, receiver: receiver.url });
  }

  static async start(append = true): Promise<Scene> {
    const store = new WholeRequestStore(NDJSON, { keepLines: true });
    const receiver = await ChaosReceiver.start({ store });
    try {
      return new Scene(store, receiver, append);
    } catch (error) {
      await receiver.close();
      throw error;
    }
  }

  /** The real agent, until everything is archived and delivered. */
  async runToEnd(): Promise<void> {
    await this.receiver.healthy();
    const { commit, ...config } = this.world.config;
    // A spool gives back its room with a commit; the steps of a test make their own.
    const soon = { ...config, commit: { ...commit, intervalMs: 20 } };
    await using state = AgentState.open(soon, new Telemetry(pino({ level: 'silent' })));
    const agent = buildAgent(soon, state);
    let isStuck = false;
    const watchdog = setTimeout(() => {
      isStuck = true;
      agent.stop();
    }, HANG_MS);
    await agent.run({ exitAtEof: true }).finally(() => clearTimeout(watchdog));
    assert.equal(isStuck, false, `not at the end of the logs after ${HANG_MS} ms`);
  }

  /** Each line archived once, and received; with another start nothing is sent again. */
  async assertDelivered({ once }: { once: boolean }): Promise<void> {
    const { world, store } = this;
    assert.deepEqual(await world.faults(), []);
    const { lost, foreign, duplicated } = store.stored.compare(world.expected.sent);
    // What stands for a line that is too long to be sent is none of those that were written.
    const stubs = store.stored.lines.filter((line) => line.includes('the line is longer than max_line_bytes'));
    assert.deepEqual({ lost, foreign }, { lost: 0, foreign: stubs.length });
    if (once) assert.equal(duplicated, 0);
    const { total } = store.stored;
    await this.runToEnd();
    assert.equal(store.stored.total, total, 'sent again after another start');
    assert.deepEqual(await world.faults(), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.receiver.close();
    this.world[Symbol.dispose]();
  }
}

const log = fc.nat(2);
const only = <T extends string>(op: T) => fc.record({ op: fc.constant(op) });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      log,
      lines: fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.nat(1000)), { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('rotate' as const), log, style: fc.constantFrom(...STYLES) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('receiver' as const), act: fc.constantFrom(...ACTS, 'down') }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('poll' as const), times: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 4, arbitrary: only('sweep') },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('reload' as const),
      change: fc.constantFrom(...RELOADS),
      commits: fc.boolean(),
    }),
  },
  ...(['commit', 'startCommit', 'crash', 'stop', 'rewind'] as const).map((op) => ({ weight: 2, arbitrary: only(op) })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(scene: Scene, agent: SteppedAgent, one: Step): Promise<SteppedAgent> {
  const { world, receiver } = scene;
  switch (one.op) {
    case 'write':
      for (const [kind, choice] of one.lines) world.write(one.log, kind, choice);
      break;
    case 'rotate':
      world.rotate(one.log, one.style);
      break;
    case 'receiver': {
      const { act } = one;
      if (act === 'down') await receiver.down();
      else await receiver.behave(() => act);
      break;
    }
    case 'wait':
      await delay(one.ms);
      break;
    case 'poll':
      for (let n = 0; n < one.times; n += 1) await agent.poll();
      break;
    case 'reload':
      await agent.reload(reloaded(world.config, one.change), one);
      break;
    case 'crash':
    case 'stop':
      await agent[one.op]();
      return SteppedAgent.start(world.config);
    default:
      await agent[one.op]();
  }
  return agent;
}

test('whatever the receiver does and wherever the agent dies, it gets each event', async (t) => {
  const options = fuzz(30);
  t.diagnostic(`AUDITAIL_FUZZ_SEED=${options.seed}`);
  const begun = performance.now();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), fc.boolean(), async (steps, append) => {
      // Shrinking a failure may take its time.
      if (performance.now() - begun > TIME_LIMIT_MS && runs > 0) return;
      await using scene = await Scene.start(append);
      let agent = await SteppedAgent.start(scene.world.config);
      try {
        for (const one of steps) agent = await take(scene, agent, one);
        assert.equal(agent.gapsTold, 0, 'a gap was told');
      } finally {
        await agent.crash();
      }
      await scene.runToEnd();
      await scene.assertDelivered({ once: false });
      runs += 1;
    }),
    options,
  );
  t.diagnostic(`${runs} runs`);
  assert.ok(runs >= 5, `only ${runs} runs in ${TIME_LIMIT_MS} ms`);
});

test('a receiver that is away until the spool is full: the archive goes on, and what is behind comes once', async () => {
  await using scene = await Scene.start();
  const { world, receiver } = scene;
  await receiver.down();
  const agent = await SteppedAgent.start(world.config);
  for (let part = 0; part < 4; part += 1) {
    for (let line = 0; line < 6; line += 1)
      for (const log of [0, 1, 2]) world.write(log, log === 0 ? 'event' : 'big', line);
    await agent.sweep();
    while (await agent.poll());
    // Long enough for what is in memory to go to the spool.
    await delay(40);
    await agent.commit();
    for (const log of [0, 1, 2]) world.rotate(log, 'rename-gzip');
  }
  assert.equal(agent.isBehind, true);
  assert.deepEqual(await world.faults(), [], 'the archive has everything');
  await agent.stop();
  await scene.runToEnd();
  await scene.assertDelivered({ once: true });
});
