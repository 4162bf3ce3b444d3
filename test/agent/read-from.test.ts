import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LINE_KINDS, LogWorld } from './log-world.ts';
import { SteppedAgent } from './stepped-agent.ts';

function writeSome(world: LogWorld): void {
  for (const log of world.logs.keys()) for (const [index, kind] of LINE_KINDS.entries()) world.write(log, kind, index);
}

async function readAll(agent: SteppedAgent): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await agent.sweep();
    while (await agent.poll());
    await agent.commit();
  }
}

for (const readFrom of ['head', 'tail'] as const) {
  test(`read_from ${readFrom}: what there was before the first start, in live files and rotated parts`, async () => {
    using world = new LogWorld({ append: true, readFrom });
    writeSome(world);
    world.rotate(0, 'rename');
    world.rotate(1, 'rename-gzip');
    writeSome(world);
    if (readFrom === 'tail') world.forget();
    const agent = await SteppedAgent.start(world.config);
    await readAll(agent);
    await agent.stop();
    assert.deepEqual(await world.faults(), []);
  });
}

test('read_from tail: what comes later is read whole, through rotations, crashes and restarts', async () => {
  using world = new LogWorld({ append: true, readFrom: 'tail' });
  writeSome(world);
  world.forget();
  let agent = await SteppedAgent.start(world.config);
  await agent.sweep();
  await agent.crash();
  // Not a byte was read, but the first position is durable: these lines come after it.
  writeSome(world);
  world.rotate(0, 'rename');
  world.rotate(1, 'copytruncate');
  world.rotate(2, 'rename-gzip');
  writeSome(world);
  agent = await SteppedAgent.start(world.config);
  await readAll(agent);
  writeSome(world);
  await readAll(agent);
  await agent.stop();
  assert.deepEqual(await world.faults(), []);
});

test('read_from tail: a log that is made after the first start is read from its head', async () => {
  using world = new LogWorld({ append: true, readFrom: 'tail' });
  const agent = await SteppedAgent.start(world.config);
  await agent.sweep();
  writeSome(world);
  await readAll(agent);
  await agent.stop();
  assert.deepEqual(await world.faults(), []);
});

test('a sink that is added later gets all that is still there; the others get nothing twice', async () => {
  using world = new LogWorld({ append: true });
  const first = { ...world.config, sinks: world.config.sinks.filter(({ name }) => name === 'all') };
  writeSome(world);
  let agent = await SteppedAgent.start(first);
  await readAll(agent);
  world.rotate(0, 'rename');
  world.rotate(1, 'rename-gzip');
  writeSome(world);
  await readAll(agent);
  await agent.stop();
  writeSome(world);
  agent = await SteppedAgent.start(world.config);
  await agent.sweep();
  await agent.poll();
  await agent.commit();
  await agent.crash();
  agent = await SteppedAgent.start(world.config);
  await readAll(agent);
  await agent.stop();
  assert.deepEqual(await world.faults(), []);
});
