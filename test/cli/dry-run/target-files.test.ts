import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tags } from '../../../src/cli/dry-run/tags.ts';
import { TargetFiles } from '../../../src/cli/dry-run/target-files.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { firstFileSink } from '../../config/parse.ts';

const HOUR = 3_600_000;
const NINE = Date.parse('2026-01-15T09:00:00Z');

function targetFiles(sink: object, room = 100): TargetFiles {
  const text = JSON.stringify({ sinks: [{ name: 'a', type: 'file', path: '/out/${tag}.%H.log', ...sink }] });
  const config = firstFileSink(parseConfig(text, { file: 'test', env: {} }));
  return new TargetFiles(config!, 0, { room: { left: room }, now: () => NINE + 5 * HOUR });
}

function listed({ files }: TargetFiles): Record<string, number> {
  return Object.fromEntries([...files.values()].map(({ path, events }) => [path, events]));
}

test('the files of the default path are named for their compression', () => {
  for (const [compress, name] of [
    ['zstd', 'audit-a.2026011509.log.zst'],
    ['none', 'audit-a.2026011509.log'],
  ] as const) {
    assert.equal(targetFiles({ compress, path: undefined }).add('audit.a', NINE, 10), `/var/log/auditail/${name}`);
  }
});

test('beyond max_tags in a slot, further tags share the overflow file of the slot', () => {
  const sink = targetFiles({ max_tags: 2 });
  for (const tag of ['audit.a', 'audit.b', 'audit.c', 'audit.d', 'audit.a']) sink.add(tag, NINE, 10);
  assert.equal(sink.add('audit.c', NINE + HOUR, 10), '/out/audit.c.10.log');
  assert.equal(sink.add('audit.c', NINE, 10), '/out/audit._overflow.09.log');
  assert.deepEqual(listed(sink), {
    '/out/audit.a.09.log': 2,
    '/out/audit.b.09.log': 1,
    '/out/audit._overflow.09.log': 3,
    '/out/audit.c.10.log': 1,
  });
  assert.equal(sink.overflow.events, 3);
});

test('tags that share a path count once against max_tags', () => {
  const sink = targetFiles({ max_tags: 1, path: '/out/all.%H.log' });
  for (const tag of ['audit.a', 'audit.b', 'audit.c']) sink.add(tag, NINE, 10);
  assert.deepEqual(listed(sink), { '/out/all.09.log': 3 });
  assert.equal(sink.overflow.events, 0);
});

test('what has no time of its own goes by its arrival, and gives the file no time', () => {
  const sink = targetFiles({});
  assert.equal(sink.add('audit.a', undefined, 10), '/out/audit.a.14.log');
  const [file] = sink.files.values();
  assert.deepEqual([file!.firstTime, file!.lastTime], [undefined, undefined]);
});

test('when there is no room for more names, others are counted together and nothing grows', () => {
  const sink = targetFiles({}, 3);
  for (let tag = 0; tag < 50; tag += 1) {
    for (let hour = 0; hour < 3; hour += 1) sink.add(`audit.t${tag}`, NINE + hour * HOUR, 10);
  }
  sink.add('audit.t0', NINE + HOUR, 10);
  assert.deepEqual(listed(sink), { '/out/audit.t0.09.log': 1, '/out/audit.t0.10.log': 2, '/out/audit.t0.11.log': 1 });
  assert.deepEqual([sink.others.events, sink.others.bytes], [147, 1470]);

  const tags = new Tags({ left: 2 });
  for (const tag of ['a', 'b', 'c', 'd', 'a']) tags.add(tag, [], NINE, 10);
  assert.deepEqual([...tags.tags.keys()], ['a', 'b']);
  assert.deepEqual([tags.tags.get('a')!.events, tags.others.events, tags.unrouted.events], [2, 2, 5]);
});
