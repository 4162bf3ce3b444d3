/** What a receiver gets of a log, and what becomes of the events that it refuses. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { ElasticsearchStore } from '../../demo/receivers/elasticsearch-store.ts';
import { EVENT_LIST } from '../../demo/receivers/protocols/event-list.ts';
import { JSON_ARRAY } from '../../demo/receivers/protocols/json-array.ts';
import { LOKI } from '../../demo/receivers/protocols/loki.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { OTLP } from '../../demo/receivers/protocols/otlp.ts';
import { SPLUNK_HEC } from '../../demo/receivers/protocols/splunk-hec.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { assertReceivedOnce, command, deadLetters, ended, httpSink, runToEnd, withSinks } from './http-scene.ts';
import { eventLine, Scene } from './scene.ts';

describe('a poisonous event', () => {
  const poison = (line: Buffer) => line.includes('poison');

  const formats = {
    elasticsearch: () => new ElasticsearchStore({ poison }),
    ndjson: () => new WholeRequestStore(NDJSON, { poison }),
    json_array: () => new WholeRequestStore(JSON_ARRAY, { poison }),
    loki: () => new WholeRequestStore(LOKI, { poison }),
    splunk_hec: () => new WholeRequestStore(SPLUNK_HEC, { poison }),
    otlp: () => new WholeRequestStore(OTLP, { poison }),
    event_list: () => new WholeRequestStore(EVENT_LIST, { poison }),
  };

  const nameOf = (format: string) => format.replace('_', '-');

  test('is a dead letter alone, in every format', async () => {
    await using scene = new Scene();
    scene.write(300);
    scene.writer.writeLines([eventLine({ id: 'poison-1' })]);
    scene.write(200);
    scene.writer.writeLines([eventLine({ id: 'poison-2' })]);
    await using stack = new AsyncDisposableStack();
    const stores = Object.entries(formats).map(([format, newStore]) => ({ format, store: newStore() }));
    const sinks = [];
    for (const { format, store } of stores) {
      const receiver = stack.use(await ChaosReceiver.start({ store }));
      // One request for the whole log, as far as the sink has its say.
      sinks.push(httpSink(nameOf(format), receiver.url, { format, batch: { age: '1s' }, spool: { after: '10s' } }));
    }
    const config = withSinks(scene.config(), ...sinks);
    await runToEnd(scene, config);

    const wholesome = new LineMultiset();
    for (let id = 0; id < 500; id++) wholesome.expect(hashLine(eventLine({ id })));
    const letters = await deadLetters(scene.root, config);
    for (const { format, store } of stores) {
      assertReceivedOnce(wholesome, store.stored);
      const own = letters.filter(({ sink }) => sink === nameOf(format));
      assert.deepEqual(
        own.map(({ raw }) => raw),
        [eventLine({ id: 'poison-1' }), eventLine({ id: 'poison-2' })],
        format,
      );
      for (const { reason, path, tag } of own) {
        assert.match(reason, /400/, format);
        assert.deepEqual({ path, tag }, { path: scene.log, tag: 'audit.team-a' });
      }
    }
    // Its place is that of the line in the log.
    const [letter] = letters;
    const before = execFileSync('head', ['-c', String(letter!.offset), scene.log], { encoding: 'utf8' });
    assert.equal(before.split('\n').length - 1, 300);
    await scene.assertExact();
  });

  test('is sent again when it is asked for, once the receiver takes it', async () => {
    await using scene = new Scene();
    let refuses = true;
    const store = new ElasticsearchStore({ poison: (line) => refuses && poison(line) });
    await using receiver = await ChaosReceiver.start({ store });
    const config = withSinks(scene.config(), httpSink('es', receiver.url, { format: 'elasticsearch' }));
    scene.write(20);
    scene.writer.writeLines([eventLine({ id: 'poison' })]);
    const agent = scene.start({ config });
    await agent.waitFor('the dead letter', () => agent.log.some(({ event }) => event === 'dead_letter'));
    await ended(agent);
    refuses = false;
    await command(scene.root, config, ['deadletter', 'resend', '--sink', 'es']);
    assertReceivedOnce(scene.writer.expected, store.stored);
    assert.deepEqual(await deadLetters(scene.root, config), []);
  });

  test('is one that is too large for the receiver, after its request was split', async () => {
    await using scene = new Scene();
    const store = new WholeRequestStore(NDJSON);
    await using receiver = await ChaosReceiver.start({ store, maxBodyBytes: 4000 });
    scene.write(100);
    scene.writer.writeLines([eventLine({ id: 'large', filler: 5000 })]);
    scene.write(100);
    const config = withSinks(scene.config(), httpSink('hook', receiver.url, { batch: { age: '1s' } }));
    await runToEnd(scene, config);
    const letters = await deadLetters(scene.root, config);
    assert.deepEqual(
      letters.map(({ raw, reason }) => [raw, /413/.test(reason)]),
      [[eventLine({ id: 'large', filler: 5000 }), true]],
    );
    assert.deepEqual(store.stored.compare(scene.writer.expected), { lost: 1, duplicated: 0, foreign: 0 });
  });
});

test('events with one auditID are all stored, those of one request and those of an attacker', async () => {
  await using scene = new Scene();
  const store = new ElasticsearchStore();
  await using receiver = await ChaosReceiver.start({ store });
  const event = { kind: 'Event', auditID: 'the-same', objectRef: { namespace: 'team-a' } };
  scene.writer.writeLines([
    JSON.stringify({ ...event, stage: 'RequestReceived' }),
    JSON.stringify({ ...event, stage: 'ResponseComplete' }),
    JSON.stringify({ ...event, stage: 'ResponseComplete', user: { username: 'somebody else' } }),
  ]);
  const config = withSinks(scene.config(), httpSink('es', receiver.url, { format: 'elasticsearch' }));
  await runToEnd(scene, config);
  assertReceivedOnce(scene.writer.expected, store.stored);
  assert.equal(store.conflicts, 0);
});

test('a sink gets the tags that it matches, and nothing of others', async () => {
  await using scene = new Scene();
  await using stack = new AsyncDisposableStack();
  const matches = { all: '**', a: 'audit.team-a', ab: 'audit.{team-a,team-b}', none: 'audit._none' };
  const sinks = [];
  const stores = new Map<string, WholeRequestStore>();
  for (const [name, match] of Object.entries(matches)) {
    const store = new WholeRequestStore(NDJSON, { keepLines: true });
    stores.set(name, store);
    sinks.push(httpSink(name, stack.use(await ChaosReceiver.start({ store })).url, { match }));
  }
  for (let round = 0; round < 20; round++) {
    // A name that reaches for another tenant's tag is no namespace.
    for (const namespace of ['team-a', 'team-b', 'team-c', 'team-a.x', '../team-a']) scene.write(1, { namespace });
    scene.writer.writeLines([JSON.stringify({ kind: 'Event', auditID: `cluster-${round}` })]);
  }
  await runToEnd(scene, withSinks(scene.config(), ...sinks));
  const namespaces = (name: string) =>
    new Set(stores.get(name)!.stored.lines.map((line) => JSON.parse(line.toString()).objectRef?.namespace));
  assertReceivedOnce(scene.writer.expected, stores.get('all')!.stored);
  assert.deepEqual(namespaces('a'), new Set(['team-a']));
  assert.deepEqual(namespaces('ab'), new Set(['team-a', 'team-b']));
  assert.deepEqual(namespaces('none'), new Set([undefined]));
  const counts = [...stores].map(([name, { stored }]) => [name, stored.total, stored.distinct]);
  assert.deepEqual(counts, [
    ['all', 120, 120],
    ['a', 20, 20],
    ['ab', 40, 40],
    ['none', 20, 20],
  ]);
});

test('fields are added to what is sent, and to nothing else', async () => {
  await using scene = new Scene();
  const store = new WholeRequestStore(NDJSON, { keepLines: true });
  await using receiver = await ChaosReceiver.start({ store });
  const config = withSinks(
    scene.config(),
    httpSink('hook', receiver.url, {
      cluster: 'prod',
      add: {
        '@timestamp': '${time}',
        node: '${node}',
        cluster: '${cluster}',
        site: 'zone-${tag[1]}-${env:SITE}',
        weight: 3,
        // The event's own value stays.
        kind: 'mine',
      },
    }),
  );
  // Numbers and escapes that do not survive parse and print.
  const line =
    '{"kind":"Event","n":1.0e2,"big":12345678901234567890,"s":"\\u0041\\/","objectRef":{"namespace":"team-a"},"stageTimestamp":"2024-05-06T07:08:09.123456Z"}';
  scene.writer.writeLines([line, '{}', 'no event']);
  await runToEnd(scene, config, { SITE: 'x"y' });

  const [first = '', second = '', third = ''] = store.stored.lines.map(String);
  const inner = line.slice(1);
  assert.ok(first.endsWith(`,${inner}`), first);
  // jq would take 12345678901234567890 for another number; of what was added it has to make sense.
  const file = join(scene.root, 'received');
  writeFileSync(file, `${first}\n`);
  const added = execFileSync('jq', ['-c', '[."@timestamp", .node, .cluster, .site, .weight, .kind]', file], {
    encoding: 'utf8',
  });
  assert.deepEqual(JSON.parse(added), ['2024-05-06T07:08:09.123Z', hostname(), 'prod', 'zone-team-a-x"y', 3, 'Event']);
  assert.deepEqual([JSON.parse(second).kind, JSON.parse(second).weight], ['mine', 3]);
  assert.equal(JSON.parse(third).message, 'no event');
  assert.equal(typeof JSON.parse(third).reason, 'string');
  await scene.assertExact();
  const archived = execFileSync('zcat', ['-r', scene.archive], { encoding: 'utf8' });
  assert.ok(archived.split('\n').includes(line), archived);
});
