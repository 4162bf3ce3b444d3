import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import { AuditailError } from '../../src/errors.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { IN_PLACE, mutated } from '../helpers/mutations.ts';
import { TreeSnapshot } from '../helpers/tree-snapshot.ts';
import { LogWorld } from './log-world.ts';
import { SteppedAgent } from './stepped-agent.ts';

/** A run takes about a twentieth of a second. */
const HANG_MS = 20_000;

/** Some commits, lines that none has stored, and lines that were written since. */
async function prepare(end: 'closed' | 'killed') {
  const world = new LogWorld({ append: true });
  const agent = await SteppedAgent.start(world.config);
  for (let round = 0; round < 6; round += 1) {
    for (let n = 0; n < 10; n += 1) world.write(n % 3, n === 5 ? 'text' : 'event', n);
    if (round % 2 === 1) world.rotate(round % 3, 'rename');
    await agent.sweep();
    while (await agent.poll());
    if (round < 5) await agent.commit();
  }
  const files = () => new TreeSnapshot(['state', 'all', 'some'].map((name) => path.join(world.root, name)));
  // What a kill leaves has its last transactions in the write-ahead log only.
  const killed = end === 'killed' ? files() : undefined;
  await agent.crash();
  const snapshot = killed ?? files();
  for (let n = 0; n < 10; n += 1) world.write(n % 3, 'event', n);
  return { world, snapshot };
}

/** The real agent, to the end of the logs: what is wrong with the archive then, or the error with which the start was refused. */
async function outcome(world: LogWorld): Promise<string[] | AuditailError> {
  let isStuck = false;
  try {
    await using state = AgentState.open(world.config, new Telemetry(pino({ level: 'silent' })));
    const agent = buildAgent(world.config, state);
    const watchdog = setTimeout(() => {
      isStuck = true;
      agent.stop();
    }, HANG_MS);
    await agent.run({ exitAtEof: true }).finally(() => clearTimeout(watchdog));
  } catch (error) {
    if (error instanceof AuditailError && !isStuck) return error;
    throw error;
  }
  assert.equal(isStuck, false, 'the agent stood still');
  return world.faults();
}

/** One line that names the command, or what to do. */
function assertRefused(error: AuditailError, codes: readonly string[]): void {
  assert.ok(codes.includes(error.code), `${error.code} ${error.message}`);
  assert.match(error.hint ?? '', /with: /);
  const cause = error.cause instanceof Error ? error.cause.message : '';
  assert.doesNotMatch(`${error.message}${cause}`, /[^\x20-\x7e]/);
}

test('a state database with changed bytes is refused, or the archive is whole', async (t) => {
  const { world, snapshot } = await prepare('closed');
  t.after(() => world[Symbol.dispose]());
  const file = path.join(world.root, 'state', 'state.sqlite');
  const seen = { refused: 0, exact: 0, other: 0 };
  const damaged = mutated([snapshot.content(file)], { most: 3, kinds: IN_PLACE });
  const property = fc.asyncProperty(damaged, async (bytes) => {
    snapshot.restore();
    fs.writeFileSync(file, bytes);
    const found = await outcome(world);
    if (found instanceof AuditailError) {
      assertRefused(found, ['STATE_CORRUPT', 'STATE_EMPTY', 'STATE_FOREIGN', 'STATE_VERSION']);
      seen.refused += 1;
      assert.ok(fs.readFileSync(file).equals(bytes), 'what was refused was changed');
    } else if (found.length === 0) {
      seen.exact += 1;
    } else {
      // SQLite has no checksums: a number that became another one that may be there is believed.
      seen.other += 1;
      assert.doesNotMatch(found.join(), /[1-9]\d* foreign|damage|unexpected/);
    }
  });
  await fc.assert(property, fuzz(40));
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.other <= seen.exact / 4, JSON.stringify(seen));
});

test('a damaged write-ahead log loses nothing: the state is that of a commit before, or refused', async (t) => {
  const { world, snapshot } = await prepare('killed');
  t.after(() => world[Symbol.dispose]());
  const file = path.join(world.root, 'state', 'state.sqlite-wal');
  assert.ok(snapshot.content(file).length > 10_000);
  const seen = { refused: 0, exact: 0, repeated: 0 };
  const property = fc.asyncProperty(mutated([snapshot.content(file)], { most: 2 }), async (bytes) => {
    snapshot.restore();
    fs.writeFileSync(file, bytes);
    const found = await outcome(world);
    if (found instanceof AuditailError) {
      assertRefused(found, ['STATE_CORRUPT', 'STATE_EMPTY', 'STATE_FOREIGN']);
      seen.refused += 1;
    } else if (found.length === 0) {
      seen.exact += 1;
    } else {
      seen.repeated += 1;
      assert.doesNotMatch(found.join(), /[1-9]\d* (lost|foreign)|damage/);
    }
  });
  await fc.assert(property, fuzz(20));
  t.diagnostic(JSON.stringify(seen));
});

test('whatever stands in the lock, the index of the log and the name of the holder, the archive is exact or the start refused', async (t) => {
  const { world, snapshot } = await prepare('killed');
  t.after(() => world[Symbol.dispose]());
  const files = ['lock.sqlite', 'lock.holder', 'state.sqlite-shm'].map((name) => path.join(world.root, 'state', name));
  const contents = files.map((file) => snapshot.content(file));
  const property = fc.asyncProperty(mutated(contents), fc.constantFrom(...files), async (bytes, file) => {
    snapshot.restore();
    fs.writeFileSync(file, bytes);
    const found = await outcome(world);
    if (found instanceof AuditailError) assertRefused(found, ['STATE_LOCK']);
    else assert.deepEqual(found, []);
  });
  await fc.assert(property, fuzz(15));
});
