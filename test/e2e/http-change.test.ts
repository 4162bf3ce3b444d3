/** Sinks that come and go with the configuration: each gets the log from where it stands, and no other notices. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { ElasticsearchStore } from '../../demo/receivers/elasticsearch-store.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { assertReceivedOnce, command, ended, httpSink, received, runToEnd, told, withSinks } from './http-scene.ts';
import { HOUR_START, Scene } from './scene.ts';

/** A sink's places, as another program reads them. */
function places(scene: Scene, sink: string): { path: string; behind: number }[] {
  const sql = `SELECT segments.path AS path, segments.size_seen - offset AS behind
    FROM offsets JOIN segments ON segments.id = segment WHERE sink = '${sink}' ORDER BY segments.id`;
  const out = execFileSync('sqlite3', ['-json', join(scene.state, 'state.sqlite'), sql], { encoding: 'utf8' });
  return out.trim() === '' ? [] : (JSON.parse(out) as { path: string; behind: number }[]);
}

/** Two rotated parts of 200 events, one of them gzipped, and 100 events in the live file. */
function writeLog(scene: Scene, hour: number): void {
  const timeMs = HOUR_START + hour * 3_600_000;
  scene.write(200, { timeMs });
  scene.writer.rotate('rename');
  scene.write(200, { timeMs: timeMs + 1000 });
  scene.writer.rotate('rename-gzip');
  scene.write(100, { timeMs: timeMs + 2000 });
}

test('a sink that is added later gets what the log still has, and the others nothing twice', async () => {
  await using scene = new Scene();
  const [first, second] = [new WholeRequestStore(NDJSON), new ElasticsearchStore()];
  await using firstReceiver = await ChaosReceiver.start({ store: first });
  await using secondReceiver = await ChaosReceiver.start({ store: second });
  const one = httpSink('first', firstReceiver.url);
  writeLog(scene, 0);
  await runToEnd(scene, withSinks(scene.config(), one));
  assertReceivedOnce(scene.writer.expected, first.stored);

  const both = withSinks(scene.config(), one, httpSink('second', secondReceiver.url, { format: 'elasticsearch' }));
  const agent = scene.start({ config: both });
  await received(agent, second.stored, 500);
  writeLog(scene, 1);
  await received(agent, second.stored, 1000);
  await received(agent, first.stored, 1000);
  await ended(agent);
  assertReceivedOnce(scene.writer.expected, first.stored);
  assertReceivedOnce(scene.writer.expected, second.stored);
  assert.equal(second.conflicts, 0);
  for (const { path, behind } of places(scene, 'second')) assert.equal(behind, 0, path);
  await scene.assertExact();
});

test('a sink that is removed is left where it stood, goes on there when it comes back, and is told of meanwhile', async () => {
  await using scene = new Scene();
  const [stays, goes] = [new WholeRequestStore(NDJSON), new WholeRequestStore(NDJSON)];
  await using staysReceiver = await ChaosReceiver.start({ store: stays });
  await using goesReceiver = await ChaosReceiver.start({ store: goes });
  const one = httpSink('stays', staysReceiver.url);
  const both = withSinks(scene.config(), one, httpSink('goes', goesReceiver.url));
  writeLog(scene, 0);
  await runToEnd(scene, both);
  const before = places(scene, 'goes');

  const without = withSinks(scene.config(), one);
  writeLog(scene, 1);
  await runToEnd(scene, without);
  assert.equal(goes.stored.total, 500);
  assert.deepEqual(places(scene, 'goes').map(({ path }) => path).length, before.length, 'nothing more is kept for it');
  const { stdout, stderr } = await command(scene.root, without, ['check']);
  assert.match(stdout + stderr, /goes/);

  writeLog(scene, 2);
  await runToEnd(scene, both);
  assertReceivedOnce(scene.writer.expected, stays.stored);
  assertReceivedOnce(scene.writer.expected, goes.stored);
  await scene.assertExact();
});

test('the spool of a sink that is removed stays, and is sent when it comes back', async () => {
  await using scene = new Scene();
  const [stays, goes] = [new WholeRequestStore(NDJSON), new WholeRequestStore(NDJSON)];
  await using staysReceiver = await ChaosReceiver.start({ store: stays });
  await using goesReceiver = await ChaosReceiver.start({ store: goes });
  await goesReceiver.down();
  const one = httpSink('stays', staysReceiver.url);
  const both = withSinks(scene.config({ shutdown_timeout: '2s' }), one, httpSink('goes', goesReceiver.url));
  writeLog(scene, 0);
  const agent = scene.start({ config: both });
  await agent.waitFor('spooling', () => told(agent.log, 'spooling', 'goes').length > 0);
  await received(agent, stays.stored, 500);
  await ended(agent);
  // The log is gone, so that only the spool has it.
  scene.writer.prune(0);
  await goesReceiver.healthy();
  writeLog(scene, 1);
  await runToEnd(scene, withSinks(scene.config(), one));
  assert.equal(goes.stored.total, 0);
  await runToEnd(scene, both);
  assertReceivedOnce(scene.writer.expected, goes.stored);
  assertReceivedOnce(scene.writer.expected, stays.stored);
});
