/**
 * Receivers that do everything that receivers do, and SIGKILL in between, while a writer writes, rotates, gzips and
 * prunes: in the end each event was received, or is a dead letter that says why.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../bench/random.ts';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { CHAOS_ACTS, NOTHING_REJECTED } from '../../demo/receivers/chaos-schedule.ts';
import { ElasticsearchStore } from '../../demo/receivers/elasticsearch-store.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { WriterProcess } from '../../demo/writer-process.ts';
import { LineMultiset } from '../helpers/line-multiset.ts';
import { assertAccounted, deadLetters, describeActs, httpSink, withSinks } from './http-scene.ts';
import { killed, Scene } from './rotation-scene.ts';

const SEED = Number(process.env.CHAOS_SEED ?? 20263);

const KILLS = 16;

/** Some rotations a second; a backup is pruned 12 s after its rotation. */
const BYTES_PER_SECOND = 600_000;
const MAX_SIZE = 150_000;
const MAX_BACKUPS = 48;
const MEAN_EVENT_BYTES = 1500;
const WRITE_SECONDS = 18;

/** The agent's whole life for the first, the least that its start takes for the second. */
const LIFE_MS = { most: 1800, start: 300 };

test(`chaos and kills (seed ${SEED})`, { timeout: 180_000 }, async (t) => {
  using scene = new Scene();
  const random = new Random(SEED);
  const es = new ElasticsearchStore();
  const hook = new WholeRequestStore(NDJSON);
  await using esReceiver = await ChaosReceiver.start({ store: es });
  await using hookReceiver = await ChaosReceiver.start({ store: hook, maxBodyBytes: 200_000 });
  await esReceiver.chaos(SEED);
  // Its whole requests would be dead letters by the hundred; those of the other sink suffice.
  await hookReceiver.chaos(SEED + 1, NOTHING_REJECTED);
  const quick = { batch: { age: '30ms', events: 100 }, timeout: '400ms', concurrency: 3, spool: { after: '150ms' } };
  const config = withSinks(
    scene.config,
    httpSink('es', esReceiver.url, { ...quick, format: 'elasticsearch', index: 'audit-${tag[1]}-%Y.%m.%d' }),
    httpSink('hook', `${hookReceiver.url}/in`, { ...quick, batch: { age: '30ms', events: 300 } }),
  );
  Object.assign(scene.config, config);

  const ledger = join(scene.directory, 'ledger');
  const writer = new WriterProcess({
    path: scene.log,
    ledger,
    events: Math.ceil((WRITE_SECONDS * BYTES_PER_SECOND) / MEAN_EVENT_BYTES),
    seed: SEED,
    spanMs: 3 * 3_600_000,
    bytesPerSecond: BYTES_PER_SECOND,
    maxSize: MAX_SIZE,
    maxBackups: MAX_BACKUPS,
  });
  await writer.reached(50);
  for (let kill = 1; kill <= KILLS; kill++) {
    const agent = scene.start();
    // Each third is let live until it runs: on a busy machine most of a short life is its start.
    if (kill % 3 === 0) await agent.waitFor('its start', () => agent.findLog('auditail runs') !== undefined);
    await sleep(LIFE_MS.start + random.below(LIFE_MS.most - LIFE_MS.start));
    await killed(agent);
  }
  await writer.done;
  await scene.drain();

  const { events, rotations, pruned } = writer.progress;
  assert.ok(pruned > 0, 'no backup was pruned');
  const letters = await deadLetters(scene.directory, config);
  t.diagnostic(`${KILLS} kills; ${events} events, ${rotations} rotations, ${pruned} backups pruned`);
  t.diagnostic(`es: ${es.stored.total} stored, ${es.conflicts} conflicts, ${letters.length} dead letters`);
  t.diagnostic(`es did: ${describeActs(esReceiver)}`);
  t.diagnostic(`hook: ${hook.stored.distinct} stored, ${hook.stored.total - hook.stored.distinct} twice`);
  t.diagnostic(`hook did: ${describeActs(hookReceiver)}`);

  const expected = LineMultiset.fromLedger(ledger);
  assert.equal(expected.total, events);
  await scene.assertArchive(expected);
  assert.deepEqual(scene.gaps(), []);
  assert.deepEqual(
    letters.filter(({ sink }) => sink !== 'es'),
    [],
  );
  assertAccounted(expected, es.stored, letters);
  assertAccounted(expected, hook.stored, []);
  // None twice, under whatever index.
  assert.equal(es.stored.total, es.stored.distinct);
  assert.equal(es.idsInSeveralIndexes, 0);
  // Each once at least: otherwise the test has not seen what it is there for.
  assert.deepEqual(
    CHAOS_ACTS.filter((act) => !esReceiver.acts.has(act)),
    [],
  );
  for (const { strayed } of [esReceiver, hookReceiver]) assert.equal(strayed, 0, 'a redirect was followed');
});
