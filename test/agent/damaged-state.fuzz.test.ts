import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { pino } from 'pino';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { IN_PLACE, mutated } from '../helpers/mutations.ts';
import { TreeSnapshot } from '../helpers/tree-snapshot.ts';
import { LogWorld } from './log-world.ts';
import { SteppedAgent } from './stepped-agent.ts';

const HANG_MS = 20_000;

async function prepare() {
  const world = new LogWorld({ append: true });
  const agent = await SteppedAgent.start(world.config);
  for (let round = 0; round < 6; round += 1) {
    for (let n = 0; n < 10; n += 1) world.write(n % 3, n === 5 ? 'text' : 'event', n);
    if (round % 2 === 1) world.rotate(round % 3, 'rename');
    await agent.sweep();
    while (await agent.poll());
    if (round < 5) await agent.commit();
  }
  if (process.env.KILLED === undefined) await agent.crash();
  const snapshot = new TreeSnapshot(['state', 'all', 'some'].map((name) => path.join(world.root, name)));
  if (process.env.KILLED !== undefined) await agent.crash();
  for (let n = 0; n < 10; n += 1) world.write(n % 3, 'event', n);
  return { world, snapshot };
}

async function runToEnd(world: LogWorld): Promise<string> {
  let isStuck = false;
  const ended = (async () => {
    await using state = AgentState.open(world.config, new Telemetry(pino({ level: 'silent' })));
    const agent = buildAgent(world.config, state);
    const watchdog = setTimeout(() => { isStuck = true; agent.stop(); }, HANG_MS);
    try {
      await agent.run({ exitAtEof: true });
    } finally {
      clearTimeout(watchdog);
    }
    return 'ran';
  })();
  const verdict = await ended.catch((error: unknown) => `${(error as Error).name} ${(error as any).code}: ${(error as Error).message} // ${(error as any).cause?.code} ${(error as any).cause} // ${(error as any).hint}`);
  return isStuck ? `stuck ${verdict}` : verdict;
}

test('x', async () => {
  const { world, snapshot } = await prepare();
  console.log(fs.readdirSync(path.join(world.root, 'state')).map((n) => [n, fs.statSync(path.join(world.root, 'state', n)).size]));
  const stats = new Map<string, number>();
  for (const name of (process.env.NAMES ?? 'state.sqlite,state.sqlite-wal,state.sqlite-shm,lock.sqlite,lock.holder').split(',')) {
    const file = path.join(world.root, 'state', name);
    let w = 0;
    await fc.assert(fc.asyncProperty(mutated([snapshot.content(file)], { most: 3, kinds: IN_PLACE }), async (bytes) => {
      if (!snapshot.restore()) w++;
      fs.writeFileSync(file, bytes);
      const verdict = await runToEnd(world);
      let key = `${name} ${verdict.replaceAll(world.root, '').replaceAll(/\d+/g, 'N').slice(0, 190)}`;
      if (verdict === 'ran') { const f = await world.faults().catch((e) => [`faults threw ${e}`]); key += ` ${f.join().slice(0, 400)}`; }
      stats.set(key, (stats.get(key) ?? 0) + 1);
    }), { numRuns: Number(process.env.RUNS ?? 100) });
    console.log(name, 'gone', w);
  }
  for (const [k, n] of stats) console.log(n, k);
  await delay(1);
});
