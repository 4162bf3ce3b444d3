import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { AgentOccurrences } from '../../src/telemetry/agent-occurrences.ts';
import { formatText } from '../../src/telemetry/logger.ts';
import { RateLimit } from '../../src/telemetry/rate-limit.ts';
import { SourceOccurrences } from '../../src/telemetry/source-occurrences.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';

function recorded(now?: () => number) {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { base: null, timestamp: false, messageKey: 'message' },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  return { lines, telemetry: new Telemetry(log, now) };
}

test('one occurrence of a key comes through in an interval, and the next one knows how many did not', () => {
  let now = 1000;
  const limit = new RateLimit(100, () => now);
  assert.equal(limit.allow('a'), 0);
  assert.equal(limit.allow('a'), undefined);
  now = 1099;
  assert.equal(limit.allow('a'), undefined);
  assert.equal(limit.allow('b'), 0);
  now = 1100;
  assert.equal(limit.allow('a'), 2);
  assert.equal(limit.allow('a'), undefined);
  now = 5000;
  assert.equal(limit.allow('a'), 1);
  now = 9000;
  assert.equal(limit.allow('a'), 0);
});

test('as many keys as somebody likes to make up cost no more memory than a thousand', () => {
  const limit = new RateLimit(100, () => 0);
  limit.allow('first');
  for (let n = 0; n < 1023; n += 1) limit.allow(`key ${n}`);
  assert.equal(limit.allow('first'), undefined, 'still known among 1024');
  limit.allow('one more');
  assert.equal(limit.allow('first'), 0, 'the oldest is forgotten');
  assert.equal(limit.allow('key 1022'), undefined, 'the newest is not');
});

test('a repeated warning is logged once, with its fields, and then with how often it was held back', () => {
  let now = 0;
  const { lines, telemetry } = recorded(() => now);
  for (let n = 0; n < 5; n += 1) telemetry.warnLimited('key', { path: '/log', n }, 'cannot read');
  now = 10_000;
  telemetry.warnLimited('key', { path: '/log', n: 5 }, 'cannot read');
  assert.deepEqual(lines, [
    { level: 40, path: '/log', n: 0, message: 'cannot read' },
    { level: 40, path: '/log', n: 5, repeated: 4, message: 'cannot read' },
  ]);
});

test('one name is one metric, prefixed, with its help and labels', async () => {
  const { telemetry } = recorded();
  telemetry.counter('things_total', 'Things', ['source']).inc({ source: 'a' });
  telemetry.counter('things_total', 'Things', ['source']).inc({ source: 'a' }, 2);
  telemetry.gauge('level', 'How high').set(7);
  telemetry.gauge('level', 'How high').inc();
  const text = await telemetry.registry.metrics();
  assert.match(
    text,
    /# HELP auditail_things_total Things\n# TYPE auditail_things_total counter\nauditail_things_total\{source="a"\} 3/,
  );
  assert.match(text, /# TYPE auditail_level gauge\nauditail_level 8/);
});

test('two agents in one process do not share their metrics', async () => {
  const [one, other] = [recorded().telemetry, recorded().telemetry];
  one.counter('things_total', 'Things').inc();
  assert.doesNotMatch(await other.registry.metrics(), /things/);
});

test('what happens is both logged and counted; every metric has the prefix, a help, and a name of its kind', async () => {
  const { lines, telemetry } = recorded();
  const source = new SourceOccurrences(telemetry, 'apiserver');
  const agent = new AgentOccurrences(telemetry);
  const place = { path: '/log', offset: 1, column: 2, reason: 'no JSON', bytes: 3 };
  const gap = {
    path: '/log',
    startOffset: 1,
    endOffset: undefined,
    beforeTime: 0,
    afterTime: undefined,
    reason: 'gone',
  };
  const happenings: (() => void)[] = [
    () => source.unreadable('/log', new Error('EACCES')),
    () => source.segmentFound('/log', '/log', 0),
    () => source.segmentRotated('/log', '/log.1'),
    () => source.segmentFinished('/log.1', 1),
    () => source.truncated('/log', 1),
    () => source.cutBack('/log', 2, 1),
    () => source.liveFileDeleted('/log'),
    () => source.gap('/log', gap),
    () => source.nullsSkipped('/log', 5),
    () => agent.lineUnparsable('apiserver', place),
    () => agent.lineTorn('apiserver', place),
    () => agent.lineOversize('apiserver', place),
    () => agent.unrouted('audit.x', true),
    () => agent.rewound(new Error('ENOSPC'), 100),
  ];
  for (const happen of happenings) {
    const [logged, counted] = [lines.length, await sum(telemetry)];
    happen();
    assert.equal(lines.length, logged + 1, `${happen}: one log line`);
    assert.ok((await sum(telemetry)) > counted, `${happen}: counted`);
  }
  assert.deepEqual(
    lines.filter(({ message }) => typeof message !== 'string' || message === ''),
    [],
  );
  const gapLine = lines.find(({ reason }) => reason === 'gone');
  assert.equal(gapLine?.to_offset, 'unknown');
  assert.equal(gapLine?.after_event, '1970-01-01T00:00:00.000Z');
  for (const { name, help, type } of await telemetry.registry.getMetricsAsJSON()) {
    assert.match(name, /^auditail_[a-z0-9_]+$/);
    assert.ok(help.length > 5, name);
    assert.equal(name.endsWith('_total'), String(type) === 'counter', `${name} is a ${type}`);
  }
});

async function sum(telemetry: Telemetry): Promise<number> {
  const metrics = await telemetry.registry.getMetricsAsJSON();
  return metrics.flatMap(({ values }) => values).reduce((total, { value }) => total + value, 0);
}

test('text lines are for people, and nothing in a value can make two of one', () => {
  const line = JSON.stringify({
    level: 'warn',
    time: '2026-11-20T15:00:00.000Z',
    path: '/log/audit.log',
    note: 'two words',
    hostile: 'a\nlevel=error "quoted" =',
    count: 5,
    nested: { a: [1] },
    nothing: null,
    message: 'cannot read',
  });
  assert.equal(
    formatText(line),
    '2026-11-20T15:00:00.000Z WARN  cannot read path=/log/audit.log note="two words" ' +
      'hostile="a\\nlevel=error \\"quoted\\" =" count=5 nested={"a":[1]} nothing=null\n',
  );
});

test('what is gone has no gauges any more, its counters stay, and others keep theirs', async () => {
  const { telemetry } = recorded();
  for (const source of ['gone', 'stays']) {
    const occurrences = new SourceOccurrences(telemetry, source);
    occurrences.unread({ live: 1, rotated: 2, deleted: 3 });
    occurrences.segmentFinished('/log', 1);
  }
  telemetry.gauge('plain', 'Without labels').set(1);
  await telemetry.forget('source', 'gone');
  await telemetry.forget('sink', 'stays');
  const text = await telemetry.registry.metrics();
  const of = (source: string) => text.split('\n').filter((line) => line.includes(`source="${source}"`));
  assert.deepEqual(
    of('gone').filter((line) => !/_total\{/.test(line)),
    [],
  );
  assert.ok(of('gone').includes('auditail_files_closed_total{source="gone"} 1'), text);
  assert.ok(of('stays').includes('auditail_unread_bytes{source="stays",kind="rotated"} 2'), text);
  assert.match(text, /^auditail_plain 1$/m);
});
