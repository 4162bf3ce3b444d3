import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { AuditEvents } from '../../bench/audit-events.ts';
import { auditail } from './cli-process.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-dry-run-'));
after(() => rmSync(directory, { recursive: true }));

const EVENTS = [...new AuditEvents({ count: 400 })];
const NAMESPACE = /"objectRef":\{[^}]*"namespace":"([^"]*)"/;

function written(name: string, content: string | Uint8Array): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

function event(namespace: string, time: string): string {
  return JSON.stringify({ kind: 'Event', objectRef: { namespace }, stageTimestamp: time });
}

const log = written('audit.log', `${EVENTS.join('\n')}\n`);

test('what it shows is what the agent then writes', async () => {
  const live = path.join(directory, 'live');
  const out = path.join(directory, 'out');
  mkdirSync(live);
  const lines = [
    ...EVENTS,
    'no event',
    '',
    `{"kind":"Event","apiVersion":"audit.k8s.io/v1","x":"${EVENTS[0]}`,
    '{"objectRef":{"namespace":"../../etc"},"stageTimestamp":"2026-01-15T10:00:00Z"}',
    '{"objectRef":{"namespace":"late"},"stageTimestamp":"1999-01-15T10:00:00Z"}',
    `{"pad":"${'x'.repeat(3 * 1024 * 1024)}"}`,
  ];
  writeFileSync(path.join(live, 'audit.log'), `${lines.join('\n')}\n`);
  const config = written(
    'agree.yaml',
    JSON.stringify({
      state_dir: path.join(directory, 'state'),
      sources: [{ path: path.join(live, 'audit.log'), max_line_bytes: '2MiB' }],
      sinks: [
        {
          name: 'tokyo',
          type: 'file',
          path: `${out}/tokyo/\${tag}.%Y%m%d%H.log.gz`,
          timezone: 'Asia/Tokyo',
          max_tags: 8,
        },
        {
          name: 'system',
          type: 'file',
          match: 'audit.{kube-*,_*}',
          path: `${out}/system/%d-\${tag[1..]}.log`,
          compress: 'none',
        },
      ],
    }),
  );
  // What has no time goes by its arrival, so the hour must not change between the two.
  const hour = () => new Date().toISOString().slice(0, 13);
  let began: string;
  let expected: Record<string, { events: number; bytes: number }>;
  do {
    rmSync(out, { recursive: true, force: true });
    rmSync(path.join(directory, 'state'), { recursive: true, force: true });
    began = hour();
    const dry = await auditail(['dry-run', '-c', config, '--json', path.join(live, 'audit.log')]);
    const { sinks } = JSON.parse(dry.stdout) as {
      sinks: { files: { path: string; events: number; bytes: number }[] }[];
    };
    const files = sinks.flatMap((sink) => sink.files);
    expected = Object.fromEntries(files.map(({ path: file, events, bytes }) => [file, { events, bytes }]));
    const run = await auditail(['run', '-c', config, '--exit-at-eof']);
    assert.equal(run.code, 0, run.stderr);
  } while (hour() !== began);

  const actual: typeof expected = {};
  for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const content = file.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFileSync(file);
    actual[file] = { events: content.toString('latin1').split('\n').length - 1, bytes: content.length };
  }
  assert.deepEqual(actual, expected);
  assert.ok(
    Object.keys(actual).some((file) => file.includes('_overflow')),
    'some tags overflow',
  );
  assert.ok(Object.keys(actual).some((file) => file.includes('_invalid') || file.includes('_oversize')));
});

test('times of files are in the zone of their sink', async () => {
  const input = written('zone.log', `${event('a', '2026-01-15T15:30:00.5Z')}\n${event('a', '2026-01-15T15:59:59Z')}\n`);
  const config = written(
    'zone.yaml',
    JSON.stringify({
      sinks: [
        { name: 'tokyo', type: 'file', path: '/out/${tag}.%Y%m%d%H.log', timezone: 'Asia/Tokyo', compress: 'none' },
      ],
    }),
  );
  const { stdout } = await auditail(['dry-run', '-c', config, input]);
  assert.match(stdout, /^audit\.a\.2026011600\.log +2 +\S+ B {2}2026-01-16 00:30:00\+09:00 {2}00:59:59\+09:00$/m);
  assert.match(stdout, /^audit\.a +2 +\S+ B {2}2026-01-15 15:30:00Z {2}15:59:59Z {2}tokyo$/m);
  assert.match(stdout, /^tokyo +2 events, \S+ B, in 1 file$/m);
});

test('every sink that matches is named, and events that none wants are counted', async () => {
  const input = written(
    'routes.log',
    ['a', 'b', 'b'].map((name) => `${event(name, '2026-01-15T15:30:00Z')}\n`).join(''),
  );
  const config = written(
    'routes.yaml',
    JSON.stringify({
      sinks: [
        { name: 'one', type: 'file', match: 'audit.a', path: '/one/${tag}.log' },
        { name: 'two', type: 'file', match: 'audit.a*', path: '/two/all.log' },
      ],
    }),
  );
  const { stdout, code } = await auditail(['dry-run', '-c', config, input]);
  assert.equal(code, 0);
  assert.match(stdout, /^audit\.a .* one, two$/m);
  assert.match(stdout, /^audit\.b .* none$/m);
  assert.match(stdout, /^unrouted +2 events that no sink matches: they go nowhere$/m);
  const { tags, totals } = JSON.parse((await auditail(['dry-run', '-c', config, '--json', input])).stdout);
  assert.deepEqual(Object.fromEntries(tags.map(({ tag, sinks }: { tag: string; sinks: string[] }) => [tag, sinks])), {
    'audit.a': ['one', 'two'],
    'audit.b': [],
  });
  assert.equal(totals.unrouted.events, 2);
});

test('--source chooses the tag', async () => {
  const config = written(
    'sources.yaml',
    JSON.stringify({
      sources: [
        { name: 'first', path: '/var/log/first.log' },
        { name: 'second', path: '/var/log/second.log', tag: 'other' },
      ],
    }),
  );
  const input = written('one.log', `${event('a', '2026-01-15T15:30:00Z')}\n`);
  const tagOf = async (...args: string[]) =>
    JSON.parse((await auditail(['dry-run', '-c', config, '--json', ...args, input])).stdout).tags[0].tag;
  assert.equal(await tagOf(), 'audit.a');
  assert.equal(await tagOf('--source', 'second'), 'other.a');
  const { code, stderr } = await auditail(['dry-run', '-c', config, '--source', 'third', input]);
  assert.deepEqual(
    { code, stderr },
    { code: 2, stderr: 'auditail: the configuration has no source third. It has first, second\n' },
  );
});

test('--show prints the first lines of each tag, byte for byte, and where they would go', async () => {
  const odd = Buffer.concat([Buffer.from('\xff\xfe no \x1b[2J event\n', 'latin1')]);
  const input = written('show.log', Buffer.concat([readFileSync(log), odd]));
  const { stdout } = await auditail(['dry-run', '--show', '2', input]);
  const blocks = stdout.split('\n\n').filter((block) => block.startsWith('audit.'));
  const shown = new Map<string, string[]>();
  for (const block of blocks) {
    const [head, line, ...rest] = block.split('\n');
    const match = /^audit\.(\S+), .*show\.log:(\d+), to archive: (\S+)$/.exec(head!);
    if (match === null || rest.length > 0) continue;
    const [, namespace, number, target] = match;
    if (namespace === '_unparsed') continue;
    assert.equal(line, EVENTS[Number(number) - 1]);
    assert.ok(target!.startsWith(`/var/log/auditail/audit-${namespace}.2026011`));
    shown.set(namespace!, [...(shown.get(namespace!) ?? []), line!]);
  }
  const expected = new Map<string, string[]>();
  for (const line of EVENTS) {
    const namespace = NAMESPACE.exec(line)?.[1] ?? '_none';
    const kept = expected.get(namespace) ?? [];
    if (kept.length < 2) expected.set(namespace, [...kept, line]);
  }
  assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(expected));

  const { samples } = JSON.parse((await auditail(['dry-run', '--show', '1', '--json', input])).stdout) as {
    samples: { tag: string; content: string | null; content_base64: string | null }[];
  };
  const unparsed = samples.find(({ tag }) => tag === 'audit._unparsed')!;
  assert.equal(unparsed.content, null);
  assert.deepEqual(Buffer.from(unparsed.content_base64!, 'base64'), odd.subarray(0, -1));
});

test('wrong usage is told with the way out', async () => {
  const none = await auditail(['dry-run']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^auditail: no input is given\. Name log files, or - for stdin: auditail dry-run \/\S+\n$/);
  assert.equal((await auditail(['dry-run', '-', '-'])).code, 2);
  for (const show of ['0', '1001', '1.5', 'many']) {
    const { code, stderr } = await auditail(['dry-run', '--show', show, log]);
    assert.equal(code, 2);
    assert.match(stderr, /expected a number from 1 to 1,000/);
  }
  const missing = await auditail(['dry-run', '-c', path.join(directory, 'missing.yaml'), log]);
  assert.equal(missing.code, 2);
});
