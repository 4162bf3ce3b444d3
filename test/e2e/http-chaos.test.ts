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

const KILLS = 15;

/**
 * So often the agent is let catch up before it is killed, and as often it is killed while it starts. Otherwise it may
 * stay behind for longer than backups are kept, on a machine with other things to do.
 */
const CATCH_UP_ROUNDS = 3;

/** Four rotations a second; a backup is pruned 15 s after its rotation. */
const BYTES_PER_SECOND = 600_000;
const MAX_SIZE = 150_000;
const MAX_BACKUPS = 60;
const MEAN_EVENT_BYTES = 1500;
const WRITE_SECONDS = 18;

/** Runs one agent until it is killed, at a moment of the seed's choice. */
async function runAndKill(scene: Scene, random: Random, round: number): Promise<void> {
  if (round % CATCH_UP_ROUNDS === 1) {
    const agent = scene.start();
    await sleep(random.below(700));
    await killed(agent);
    return;
  }
  const agent = await scene.startReading();
  // The live file, and one that was rotated just now.
  if (round % CATCH_UP_ROUNDS === 0) await agent.waitFor('it to catch up', () => scene.unfinished() <= 2, 60_000);
  await sleep(random.below(1000));
  await killed(agent);
}

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
  for (let round = 1; round <= KILLS; round++) await runAndKill(scene, random, round);
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
  assert.deepEqual(scene.gaps(), [], 'backups were pruned before an agent could read them');
  await scene.assertArchive(expected);
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
