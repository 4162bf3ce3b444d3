/** Sinks that got another name, and sinks that are no more. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { openDatabase, openDatabaseForRename } from '../../src/checkpoint/database.ts';
import { DeadLetterStore } from '../../src/checkpoint/dead-letter-store.ts';
import { SinkRename } from '../../src/checkpoint/sink-rename.ts';
import { renameSteps } from '../../src/cli/offsets/rename-steps.ts';
import { HttpOccurrences } from '../../src/telemetry/http-occurrences.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { command, ended, httpSink, told, withSinks } from './http-scene.ts';
import { SwitchScene } from './offsets-scene.ts';

type Config = Readonly<Record<string, unknown>>;

/** An archive `archive` and an HTTP sink, under the names that are given. */
function named(scene: SwitchScene, url: string, http: string, archive = 'archive'): Config {
  return withSinks(scene.config({ shutdown_timeout: '2s', sink: { name: archive } }), httpSink(http, url));
}

/** The sink `es` has events in its spool that were not delivered, two dead letters, and the archive a tail that was cut off. */
async function spooled(
  scene: SwitchScene,
  receiver: ChaosReceiver,
  store: WholeRequestStore,
): Promise<readonly string[]> {
  const config = named(scene, receiver.url, 'es');
  const first = scene.live(20);
  await scene.runsToEnd(config);
  assert.equal(store.stored.total, 20);
  await receiver.down();
  const more = scene.append(30);
  const agent = scene.start({ config });
  await agent.waitFor('spooling', () => told(agent.log, 'spooling', 'es').length > 0);
  await agent.waitFor('a spooled commit', () => {
    const [row] = scene.query(
      "SELECT offset, size_seen AS size FROM offsets JOIN segments ON id = segment WHERE sink = 'es'",
    );
    return row !== undefined && row.offset === row.size;
  });
  await ended(agent);
  const letters = DeadLetterStore.open(scene.state, 'process');
  const occurrences = new HttpOccurrences(new Telemetry(createLogger({ level: 'error', format: 'json' })), 'es');
  const box = letters.box('es', { maxBytes: 1024 * 1024, overflow: 'block' }, occurrences);
  const event = { tag: 'audit', time: 0, line: Buffer.from('{}'), source: 'apiserver', path: scene.log, offset: 0 };
  box.add([1, 2].map((offset) => ({ event: { ...event, offset }, reason: 'mapping' })));
  letters.close();
  mkdirSync(join(scene.state, 'cut', 'archive'), { recursive: true });
  writeFileSync(join(scene.state, 'cut', 'archive', '1-5.tail.kept'), 'evidence');
  assert.ok(readdirSync(join(scene.state, 'spool', 'es')).length > 0);
  return [...first.lines, ...more];
}

test('a renamed sink goes on with its spool and sends the rest, nothing twice', async () => {
  await using scene = new SwitchScene();
  const store = new WholeRequestStore(NDJSON);
  await using receiver = await ChaosReceiver.start({ store });
  const lines = await spooled(scene, receiver, store);
  const config = named(scene, receiver.url, 'siem');
  const before = scene.dump();
  assert.match(
    await scene.offsetsDone(['rename-sink', 'es', 'siem', '--dry-run'], config),
    /es, now siem +1 +0 +30 +2 +0/,
  );
  assert.equal(scene.dump(), before);
  await scene.offsetsDone(['rename-sink', 'es', 'siem'], config);
  const letters = await command(scene.root, config, ['deadletter', 'list', '--json']);
  assert.deepEqual(
    letters.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).sink),
    ['siem', 'siem'],
  );
  assert.match((await command(scene.root, config, ['check'])).stdout, /is valid, with no warnings/);
  await receiver.healthy();
  const last = scene.append(10);
  await scene.runsToEnd(config);
  assert.deepEqual([store.stored.total, store.stored.distinct], [60, 60]);
  scene.assertArchived([...lines, ...last]);
  // Done is done: the old name is not known any more.
  const { code, stderr } = await scene.offsets(['rename-sink', 'es', 'siem'], config);
  assert.equal(code, 2);
  assert.match(stderr, /the state knows no sink "es"/);
});

test('an archive under a new name is the same archive, with its cut-off tails', async () => {
  await using scene = new SwitchScene();
  const store = new WholeRequestStore(NDJSON);
  await using receiver = await ChaosReceiver.start({ store });
  const lines = await spooled(scene, receiver, store);
  await receiver.healthy();
  const config = named(scene, receiver.url, 'es', 'evidence');
  const { stderr: warned } = await command(scene.root, config, ['check']);
  assert.match(warned, /rename-sink -c \S+ archive evidence; /);
  await scene.offsetsDone(['rename-sink', 'archive', 'evidence'], config);
  assert.deepEqual(readdirSync(join(scene.state, 'cut', 'evidence')), ['1-5.tail.kept']);
  const more = scene.append(5);
  await scene.runsToEnd(config);
  scene.assertArchived([...lines, ...more]);
});

test('a rename that dies between any two steps is finished by the next one, and the agent waits for it', async () => {
  for (let done = 0; done <= 5; done += 1) {
    await using scene = new SwitchScene();
    const store = new WholeRequestStore(NDJSON);
    await using receiver = await ChaosReceiver.start({ store });
    await spooled(scene, receiver, store);
    await receiver.healthy();
    const config = named(scene, receiver.url, 'siem');
    const db = openDatabaseForRename(scene.state, 'process');
    const steps = renameSteps(scene.state, db, { from: 'es', to: 'siem' });
    assert.equal(steps.length, 5);
    for (const step of steps.slice(0, done)) step();
    db.close();
    if (done > 0 && done < 5) {
      const { code, log } = await scene.runToEnd({ config });
      assert.equal(code, 1);
      assert.match(JSON.stringify(log), /the sink es was not renamed to its end.*rename-sink -c FILE es siem/);
      assert.throws(() => openDatabase(scene.state, 'process'), { code: 'SINK_RENAME' });
      const other = await scene.offsets(['rename-sink', 'siem', 'es'], named(scene, receiver.url, 'es'));
      assert.equal(other.code, 1);
      assert.match(other.stderr, /the sink es was not renamed to its end/);
    }
    if (done < 5) await scene.offsetsDone(['rename-sink', 'es', 'siem'], config);
    const after = openDatabase(scene.state, 'process');
    assert.equal(new SinkRename(after).pending, undefined);
    after.close();
    scene.append(10);
    await scene.runsToEnd(config);
    assert.deepEqual([store.stored.total, store.stored.distinct], [60, 60], `after ${done} steps`);
    assert.ok(!existsSync(join(scene.state, 'spool', 'es')));
    const letters = DeadLetterStore.openReadOnly(scene.state)!;
    assert.deepEqual([letters.total('es').events, letters.total('siem').events], [0, 2]);
    letters.close();
  }
});

test('a rename is refused where it cannot be meant', async () => {
  await using scene = new SwitchScene();
  scene.live(5);
  const config = scene.config();
  await scene.runsToEnd(config);
  const before = scene.dump();
  const failed = async (words: string[], changed: Config = config) => {
    const { code, stderr } = await scene.offsets(['rename-sink', ...words], changed);
    assert.equal(code, 2, stderr);
    assert.equal(scene.dump(), before);
    return stderr;
  };
  assert.match(await failed(['archive', 'other']), /the configuration has no sink "other"/);
  assert.match(await failed(['nobody', 'archive']), /the state knows no sink "nobody"/);
  assert.match(await failed(['../..', 'archive']), /"\.\.\/\.\." cannot be the name of a sink/);
  const both = withSinks(config, {
    ...(config.sinks as Config[])[0],
    name: 'other',
    path: join(scene.root, 'o/${tag}'),
  });
  assert.match(await failed(['archive', 'other'], both), /the configuration still names a sink archive/);
  const http = { ...config, sinks: [httpSink('other', 'http://127.0.0.1:9/')] };
  assert.match(await failed(['archive', 'other'], http), /archive was no http sink, as other is/);
});

test('a new name that has begun already is refused, and can be forgotten first', async () => {
  await using scene = new SwitchScene();
  const store = new WholeRequestStore(NDJSON);
  await using receiver = await ChaosReceiver.start({ store });
  scene.live(10);
  await scene.runsToEnd(named(scene, receiver.url, 'es'));
  const config = named(scene, receiver.url, 'siem');
  await scene.runsToEnd(config);
  const { code, stderr } = await scene.offsets(['rename-sink', 'es', 'siem'], config);
  assert.equal(code, 2);
  assert.match(stderr, /the state knows a sink siem already.*forget-sink -c FILE --force siem/);
  assert.match((await scene.offsets(['forget-sink', 'siem'], config)).stderr, /the configuration names the sink siem/);
  await scene.offsetsDone(['forget-sink', 'siem', '--force'], config);
  await scene.offsetsDone(['rename-sink', 'es', 'siem'], config);
  scene.append(3);
  await scene.runsToEnd(config);
  // Ten by es, ten more by the siem that began from nothing, three by the one that went on.
  assert.deepEqual([store.stored.total, store.stored.distinct], [23, 13]);
});

test('a sink that is forgotten: its events only when that is said, and check is quiet then', async () => {
  await using scene = new SwitchScene();
  const store = new WholeRequestStore(NDJSON);
  await using receiver = await ChaosReceiver.start({ store });
  const lines = await spooled(scene, receiver, store);
  const spool = join(scene.state, 'spool', 'es');
  writeFileSync(join(spool, '0000000009.damaged'), 'evidence');
  const config = scene.config();
  assert.match((await command(scene.root, config, ['check'])).stderr, /forget-sink -c \S+ es$/m);
  const before = scene.dump();
  const { code, stdout, stderr } = await scene.offsets(['forget-sink', 'es'], config);
  assert.equal(code, 2);
  assert.match(stdout, /^es +1 +0 +30 +2 +0$/m);
  assert.match(
    stderr,
    /has 30 events that its receiver never got, and 2 dead letters, and nothing was changed\. .*--drop-events/,
  );
  await scene.offsetsDone(['forget-sink', 'es', '--drop-events', '--dry-run'], config);
  assert.equal(scene.dump(), before);
  assert.match(
    await scene.offsetsDone(['forget-sink', 'es', '--drop-events'], config),
    /kept: \S+0000000009\.damaged\nforgotten: es\n$/,
  );
  assert.deepEqual(readdirSync(spool), ['0000000009.damaged']);
  assert.match((await command(scene.root, config, ['check'])).stdout, /is valid, with no warnings/);
  assert.match((await command(scene.root, config, ['deadletter', 'list'])).stdout, /there are no dead letters/);
  const more = scene.append(5);
  await scene.runsToEnd(config);
  scene.assertArchived([...lines, ...more]);
});

test('the files of an archive that is forgotten stay, and what it was is told as JSON', async () => {
  await using scene = new SwitchScene();
  const live = scene.live(10);
  await scene.runsToEnd();
  const other = scene.config({ sink: { name: 'other', path: join(scene.root, 'other', '${tag}.%Y%m%d%H.log.gz') } });
  const result = JSON.parse(await scene.offsetsDone(['forget-sink', 'archive', '--json'], other));
  assert.deepEqual(result, {
    state: scene.database,
    stored: true,
    sink: 'archive',
    places: 1,
    archive_files: 1,
    spooled_events: 0,
    dead_letters: 0,
    cut_tails: 0,
    kept: [],
  });
  scene.assertArchived(live.lines);
  const again = await scene.offsets(['forget-sink', 'archive'], other);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /the state knows no sink "archive"/);
});
