/** A receiver that is away, hangs, or is slow costs the archive neither time nor memory. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AuditEvents } from '../../bench/audit-events.ts';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { ElasticsearchStore } from '../../demo/receivers/elasticsearch-store.ts';
import { compareArchive } from '../helpers/archive-reader.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { httpSink, withSinks } from './http-scene.ts';
import { assertExact, cpuMs, peakMemoryMiB, Scene } from './scene.ts';

const MIB = 1024 * 1024;

/** Several times the memory that a sink may have: kept as a whole, it would show. */
const LOG_MIB = 48;
const MEAN_BYTES = 1500;

const MEMORY_LIMIT_MIB = 16;

/**
 * Of what an agent takes whose sink has nothing to send. A sink's half of memory_limit is its own, and a request in flight is there
 * twice more, as text and compressed; the rest is what V8 does not give back at once.
 */
const MORE_MEMORY_MIB = MEMORY_LIMIT_MIB / 2 + 24;

/** Of the CPU time that it takes with nothing to send. */
const MORE_CPU = 1.5;

/** Of the time that it takes with nothing to send. The machine may have other things to do, which CPU time knows nothing of. */
const MORE_TIME = 3;

interface Cost {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly peakMiB: number;
}

interface World {
  readonly scene: Scene;
  readonly expected: LineMultiset;
}

function newWorld(scene: Scene): World {
  const expected = new LineMultiset();
  const lines = [...new AuditEvents({ count: Math.ceil((LOG_MIB * MIB) / MEAN_BYTES), seed: 11, namespaces: 10 })];
  for (const line of lines) expected.expect(hashLine(line));
  writeFileSync(scene.log, `${lines.join('\n')}\n`);
  return { scene, expected };
}

/** Archives the whole log with a state and an archive of its own. */
async function archive({ scene, expected }: World, sinks: readonly Readonly<Record<string, unknown>>[]): Promise<Cost> {
  const directory = mkdtempSync(join(scene.root, 'run-'));
  const config = withSinks(
    scene.config({
      state_dir: join(directory, 'state'),
      memory_limit: `${MEMORY_LIMIT_MIB}MiB`,
      commit: { interval: '500ms', durability: 'process' },
      threads: 1,
      log: { level: 'debug' },
      source: { max_line_bytes: '1MiB' },
      sink: { path: join(directory, 'archive', '${tag}.%Y%m%d%H.log.gz') },
    }),
    ...sinks,
  );
  const from = performance.now();
  const agent = scene.start({ config });
  const written = () =>
    agent.log.reduce((sum, { message, events }) => sum + (message === 'archive written' ? Number(events) : 0), 0);
  await agent.waitFor('the whole log', () => written() >= expected.total, 120_000);
  const cost = { cpuMs: cpuMs(agent.pid!), wallMs: performance.now() - from, peakMiB: peakMemoryMiB(agent.pid!) };
  await agent.kill();
  assertExact(await compareArchive(join(directory, 'archive'), expected));
  return cost;
}

/** The better of two, which the rest of the machine had less of a part in. */
function better(one: Cost, other: Cost): Cost {
  return {
    cpuMs: Math.min(one.cpuMs, other.cpuMs),
    wallMs: Math.min(one.wallMs, other.wallMs),
    peakMiB: Math.min(one.peakMiB, other.peakMiB),
  };
}

function tell(t: TestContext, what: string, { cpuMs: cpu, wallMs, peakMiB }: Cost): void {
  t.diagnostic(`${what}: ${Math.round(cpu)} ms of CPU, ${Math.round(wallMs)} ms, ${peakMiB} MiB at most`);
}

test('the archive is as fast, and the agent about as small, as with a sink that has nothing to send', {
  timeout: 300_000,
}, async (t) => {
  await using scene = new Scene();
  const world = newWorld(scene);
  const store = new ElasticsearchStore();
  await using receiver = await ChaosReceiver.start({ store });
  const sink = httpSink('es', receiver.url, {
    format: 'elasticsearch',
    batch: { bytes: '1MiB' },
    // An agent that waited for one single answer would show.
    timeout: '60s',
    retry: { min: '500ms', max: '5s' },
    spool: { after: '200ms', max_bytes: '4MiB' },
  });
  const conditions: Readonly<Record<string, () => Promise<void>>> = {
    'refuses connections': () => receiver.down(),
    hangs: () => receiver.behave(() => 'hang'),
    'answers busy all the time': () => receiver.behave(() => 'status-503'),
  };
  const alone: Cost[] = [];
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < 2; round++) {
    // With the code that HTTP sinks need, and without an event for them.
    alone.push(await archive(world, [{ ...sink, match: 'nothing.**' }]));
    for (const [what, behave] of Object.entries(conditions)) {
      await behave();
      const before = store.stored.total;
      costs.set(what, [...(costs.get(what) ?? []), await archive(world, [sink])]);
      if (what === 'refuses connections') assert.equal(store.stored.total, before);
    }
  }
  const base = better(alone[0]!, alone[1]!);
  tell(t, 'nothing to send', base);
  for (const [what, [one, other]] of costs) {
    const cost = better(one!, other!);
    tell(t, `the receiver ${what}`, cost);
    assert.ok(
      cost.cpuMs < base.cpuMs * MORE_CPU,
      `${what}: ${cost.cpuMs} ms of CPU, ${base.cpuMs} ms with nothing to send`,
    );
    assert.ok(
      cost.wallMs < base.wallMs * MORE_TIME,
      `${what}: ${cost.wallMs} ms, ${base.wallMs} ms with nothing to send`,
    );
    const more = cost.peakMiB - base.peakMiB;
    assert.ok(more < MORE_MEMORY_MIB, `${what}: ${more} MiB more than with nothing to send`);
  }
});
