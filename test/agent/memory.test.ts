import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { LogWorld } from './log-world.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('a loop that comes round again and again leaves nothing behind', async (t) => {
  const world = new LogWorld({ append: true });
  t.after(() => rmSync(world.root, { recursive: true, force: true }));
  const state = AgentState.open(world.config, new Telemetry(pino({ level: 'silent' })));
  const agent = buildAgent(world.config, state);
  const running = agent.run({ exitAtEof: false });
  const turns = async (count: number) => {
    for (let n = 0; n < count; n += 1) await agent.turn();
    collect();
    return process.memoryUsage().heapUsed;
  };
  // What is compiled and cached comes first.
  await turns(5000);
  const before = await turns(1000);
  const grown = (await turns(30_000)) - before;
  agent.stop();
  await running;
  await state.close();
  // Code that is compiled meanwhile takes some hundred KB. 200 bytes a turn, as it once was, are 6 MB.
  assert.ok(grown < 2_000_000, `${grown} bytes`);
});
