import assert from 'node:assert/strict';
import { appendFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { assertExact, eventLine, HOUR_NAME, HOUR_START, peakMemoryMiB, Scene } from './scene.ts';

const MIB = 1024 * 1024;

/** Names of Kubernetes namespaces, and everything else that a request's URL can carry to the same place. */
const VALID_NAMESPACES = ['a', '0', 'team-a', 'kube-system', 'x'.repeat(63), 'none', 'overflow', 'log', 'gz'];
const INVALID_NAMESPACES = [
  '../../../../etc/cron.d/evil',
  '..',
  '.',
  '/etc/passwd',
  'a/b',
  'a\\b',
  'a\0b',
  '\0',
  'line\nbreak',
  '\r',
  'x'.repeat(64),
  'long'.repeat(1024),
  '🙂',
  'ünïcode',
  'Team-A',
  'a.b',
  '.hidden',
  '-dash',
  'dash-',
  '_none',
  '_invalid',
  '_overflow',
  '_unparsed',
  '${tag}',
  '%2e%2e%2f',
  '%Y%m%d',
  ' ',
  'a b',
  '\u202egpj',
  '\ud800',
  '~',
  '*',
];

test('namespaces from attackers reach the file of their name, or that of invalid ones, and nothing else', async () => {
  await using scene = new Scene();
  const wanted = new Map<string, string>();
  const add = (namespace: string | undefined, file: string) => {
    const line = eventLine({ id: `${wanted.size}`, ...(namespace === undefined ? {} : { namespace }) });
    wanted.set(line, file);
    scene.writer.writeLines([line]);
  };
  for (const namespace of VALID_NAMESPACES) add(namespace, namespace);
  for (const namespace of INVALID_NAMESPACES) add(namespace, '_invalid');
  add('', '_none');
  const before = readdirSync(scene.root);
  const { code, log } = await scene.runToEnd();
  assert.equal(code, 0, JSON.stringify(log));
  const { files } = await scene.assertExact({
    onLine: (file, { bytes }) => assert.equal(file, `audit-${wanted.get(bytes.toString())}.${HOUR_NAME}.log.gz`),
  });
  assert.equal(files.length, VALID_NAMESPACES.length + 2);
  assert.deepEqual(new Set(readdirSync(scene.root)), new Set([...before, 'archive', 'state']));
});

test('values of other fields, without a sanitizer, keep apart what is different and stay in their directory', async () => {
  await using scene = new Scene();
  const values = [
    'system:serviceaccount:kube-system:default',
    '../../../../etc/cron.d/evil',
    '..',
    '.',
    '...',
    '/',
    '//a//',
    'a.b',
    'a%2Eb',
    'a%252Eb',
    'a/b',
    'a%2Fb',
    'A.b',
    'a',
    'A',
    '_none',
    '%5Fnone',
    '-',
    '~',
    'x\0y',
    'x\ny',
    '🙂',
    'ü',
    'ü',
    ' ',
    '${tag}',
    '$1',
    '%Y%m%d%H',
    '1',
    '.1',
    'x.2024050607.1',
    '.log.gz',
    'y'.repeat(128),
    'y'.repeat(129),
    '🙂'.repeat(300),
    '🙂'.repeat(301),
  ];
  const usernameOf = new Map<string, string>();
  for (const [id, username] of values.entries()) {
    const line = JSON.stringify({
      kind: 'Event',
      auditID: `${id}`,
      user: { username },
      stageTimestamp: new Date(HOUR_START).toISOString(),
    });
    usernameOf.set(line, username);
    scene.writer.writeLines([line]);
  }
  const config = scene.config({
    rewrite: [{ key: 'user.username', pattern: '^([^]+)$', tag: '${tag}.$1.$1' }],
    sink: { path: join(scene.archive, '${tag[1]}', 'audit-${tag[2]}.%Y%m%d%H.log.gz') },
  });
  const { code, log } = await scene.runToEnd({ config });
  assert.equal(code, 0, JSON.stringify(log));

  const fileOf = new Map<string, string>();
  await scene.assertExact({
    onLine: (file, { bytes }) => void fileOf.set(usernameOf.get(bytes.toString())!, file),
  });
  for (const [value, file] of fileOf) {
    // Two levels below the archive: a directory and a file of one name.
    assert.match(file, /^[A-Za-z0-9%_-]+\/audit-[A-Za-z0-9%_-]+\.2024050607\.log\.gz$/);
    const [directory, name] = file.split('/') as [string, string];
    assert.equal(name, `audit-${directory}.${HOUR_NAME}.log.gz`);
    assert.ok(!directory.startsWith('_'), `${value} passes for the reserved ${directory}`);
    if (encodeURIComponent(value).length <= 128) assert.equal(decodeURIComponent(directory), value);
  }
  // Only what is longer than a tag's part may meet another value in its file.
  const sharing = [...fileOf].filter(([, file]) => [...fileOf.values()].filter((other) => other === file).length > 1);
  assert.deepEqual(
    sharing.map(([value]) => value).sort(),
    ['y'.repeat(128), 'y'.repeat(129), '🙂'.repeat(300), '🙂'.repeat(301)].sort(),
  );
});

const FLOOD = Number(process.env.AUDITAIL_FLOOD ?? 200_000);

/** Of all of the process; Node alone takes some 60 MiB. */
const FLOOD_MEMORY_MIB = 400;

test(`${FLOOD} distinct namespaces: files, descriptors and memory stay within their limits`, async (t) => {
  await using scene = new Scene();
  const maxTags = 500;
  const expected = new LineMultiset();
  const lines: string[] = [];
  // Every fourth is no name that Kubernetes would take.
  for (let id = 0; id < FLOOD; id += 1) {
    const line = eventLine({ id, namespace: id % 4 === 3 ? `Not/A/Name ${id}` : `flood-${id}` });
    expected.expect(hashLine(line));
    lines.push(`${line}\n`);
    if (lines.length < 10_000 && id < FLOOD - 1) continue;
    appendFileSync(scene.log, lines.join(''));
    lines.length = 0;
  }
  const config = scene.config({
    sink: { max_tags: maxTags, max_open_files: 64 },
    log: { level: 'debug' },
  });
  await using agent = scene.start({ config });
  let committed = 0;
  let descriptors = 0;
  await agent.waitFor(
    'all events',
    () => {
      committed = 0;
      for (const { message, events } of agent.log) if (message === 'archive written') committed += Number(events);
      descriptors = Math.max(descriptors, readdirSync(`/proc/${agent.pid}/fd`).length);
      return committed >= FLOOD;
    },
    240_000,
  );
  const memory = peakMemoryMiB(agent.pid!);
  t.diagnostic(`${memory} MiB of memory, ${descriptors} descriptors`);
  assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  const comparison = await scene.compare(expected);
  assertExact(comparison);
  assert.equal(comparison.files.length, maxTags + 1);
  const events = (tag: string) =>
    comparison.files.find(({ file }) => file === `audit-${tag}.${HOUR_NAME}.log.gz`)?.events;
  assert.equal(events('_invalid'), FLOOD / 4);
  assert.equal(events('_overflow'), (FLOOD * 3) / 4 - (maxTags - 1));
  assert.ok(memory < FLOOD_MEMORY_MIB, `${memory} MiB of memory`);
  assert.ok(descriptors < 64 + 40, `${descriptors} descriptors`);
});

/** Two lines of the default `max_line_bytes` fit into the default `memory_limit`; the rest is Node's own. */
const LONG_LINE_MEMORY_MIB = 500;

test('lines of 100 MB, valid and not, pass through with bounded memory', async (t) => {
  await using scene = new Scene();
  const noise = Buffer.alloc(MIB);
  for (let at = 0, state = 1; at < noise.length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const byte = state >>> 24;
    noise[at] = byte === 10 || byte === 0 ? 1 : byte;
  }
  const valid = eventLine({ id: 'long', filler: 100 * MIB });
  const justFits = eventLine({ id: 'fits', filler: 15 * MIB });
  const garbage = Buffer.concat(Array.from({ length: 100 }, () => noise));
  const unfinished = Buffer.concat(Array.from({ length: 20 }, () => noise));
  scene.write(10);
  scene.writer.writeLines([valid]);
  scene.write(10);
  scene.writer.writeLines([garbage]);
  scene.write(10);
  scene.writer.writeLines([justFits]);
  scene.writer.writePart(unfinished);
  scene.writer.rotate('rename');
  // The part that has no newline ends with its segment, and is a line of its own.
  scene.writer.expected.expect(hashLine(unfinished));
  const writer = scene.writer.expected.total;
  appendFileSync(scene.log, `${eventLine({ id: 'after' })}\n`);
  scene.writer.expected.expect(hashLine(eventLine({ id: 'after' })));

  await using agent = scene.start({ config: scene.config({ sink: { level: 1 }, log: { level: 'debug' } }) });
  let committed = 0;
  await agent.waitFor(
    'all lines',
    () => {
      committed = 0;
      for (const { message, events } of agent.log) if (message === 'archive written') committed += Number(events);
      return committed > writer;
    },
    120_000,
  );
  const memory = peakMemoryMiB(agent.pid!);
  t.diagnostic(`${memory} MiB of memory`);
  assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  const { files } = await scene.assertExact();
  const oversize = files.filter(({ file }) => file.startsWith('audit-_oversize.'));
  assert.equal(
    oversize.reduce((sum, { events }) => sum + events, 0),
    3,
  );
  assert.equal(files.find(({ file }) => basename(file).startsWith('audit-team-a.'))?.events, 32);
  assert.ok(memory < LONG_LINE_MEMORY_MIB, `${memory} MiB of memory`);
});
