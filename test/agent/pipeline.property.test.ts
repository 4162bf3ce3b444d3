import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { LINE_KINDS, LogWorld } from './log-world.ts';
import { SteppedAgent } from './stepped-agent.ts';

/** Wall time; on a slow machine there are fewer runs, not a failure. */
const TIME_LIMIT_MS = 45_000;

/** A run takes about a tenth of a second. One that takes so long stands still. */
const HANG_MS = 20_000;

const STYLES = ['rename', 'rename-gzip', 'rename-late', 'copytruncate'] as const;

const log = fc.nat(2);
const lines = fc.record({
  op: fc.constant('write' as const),
  log,
  lines: fc.array(fc.tuple(fc.constantFrom(...LINE_KINDS), fc.nat(1000)), { minLength: 1, maxLength: 12 }),
});
const step = fc.oneof(
  { weight: 6, arbitrary: lines },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('writeInTwo' as const), log, choice: fc.nat(1000) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('rotate' as const), log, style: fc.constantFrom(...STYLES) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const), log }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('sweep' as const) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('poll' as const), times: fc.integer({ min: 1, max: 4 }) }) },
  ...(['commit', 'startCommit', 'crash', 'stop', 'rewind', 'maintain'] as const).map((op) => ({
    weight: 2,
    arbitrary: fc.record({ op: fc.constant(op) }),
  })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: LogWorld, agent: SteppedAgent, one: Step): Promise<SteppedAgent> {
  switch (one.op) {
    case 'write':
      for (const [kind, choice] of one.lines) world.write(one.log, kind, choice);
      break;
    case 'writeInTwo':
      await world.writeInTwo(one.log, one.choice, async () => {
        await agent.sweep();
        await agent.poll();
      });
      break;
    case 'rotate':
      world.rotate(one.log, one.style);
      break;
    case 'reopen':
      world.reopen(one.log);
      break;
    case 'poll':
      for (let n = 0; n < one.times; n += 1) await agent.poll();
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

/** The real agent, from its start until everything is archived. */
async function runToEnd(world: LogWorld): Promise<void> {
  await using state = AgentState.open(world.config, new Telemetry(pino({ level: 'silent' })));
  const agent = buildAgent(world.config, state);
  let isStuck = false;
  const watchdog = setTimeout(() => {
    isStuck = true;
    agent.stop();
  }, HANG_MS);
  await agent.run({ exitAtEof: true });
  clearTimeout(watchdog);
  assert.equal(isStuck, false, `not at the end of the logs after ${HANG_MS} ms`);
}

test('whatever is written, however it is rotated, and wherever the agent dies: each line is archived once, in order', async (t) => {
  const options = fuzz(200);
  t.diagnostic(`AUDITAIL_FUZZ_SEED=${options.seed}`);
  const begun = performance.now();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 30 }),
      fc.boolean(),
      fc.constantFrom('gzip' as const, 'zstd' as const),
      async (steps, append, compress) => {
        // Shrinking a failure may take its time.
        if (performance.now() - begun > TIME_LIMIT_MS && runs > 0) return;
        using world = new LogWorld({ append, compress });
        let agent = await SteppedAgent.start(world.config);
        try {
          for (const one of steps) agent = await take(world, agent, one);
          assert.equal(agent.gapsTold, 0, 'a gap was told');
        } finally {
          await agent.crash();
        }
        await runToEnd(world);
        assert.deepEqual(await world.faults(), []);
        await runToEnd(world);
        assert.deepEqual(await world.faults(), [], 'after another start');
        runs += 1;
      },
    ),
    options,
  );
  t.diagnostic(`${runs} runs`);
  assert.ok(runs >= 10, `only ${runs} runs in ${TIME_LIMIT_MS} ms`);
});
