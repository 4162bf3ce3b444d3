import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AuditEvents } from '../../bench/audit-events.ts';
import { openDatabase } from '../../src/checkpoint/database.ts';
import { GapRecords } from '../../src/checkpoint/gap-records.ts';
import { SegmentRecords } from '../../src/checkpoint/segment-records.ts';
import { auditail } from './cli-process.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-offsets-'));
after(() => rmSync(root, { recursive: true }));

const EVENTS = [...new AuditEvents({ count: 600 })].map((line) => `${line}\n`);
const LAST_TIME = (lines: readonly string[]) => new Date(JSON.parse(lines.at(-1)!).stageTimestamp).toISOString();

let directory: string;
let live: string;
let config: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(root, 'case-'));
  live = path.join(directory, 'log/audit.log');
  mkdirSync(path.dirname(live));
  config = configure(['archive']);
});

function configure(sinks: readonly string[], http: readonly string[] = [], readFrom = 'head'): string {
  const file = path.join(directory, 'auditail.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      state_dir: path.join(directory, 'state'),
      sources: [{ path: live, rotate_wait: '0s', read_from: readFrom }],
      sinks: [
        ...sinks.map((name) => ({ name, type: 'file', path: `${directory}/${name}/\${tag}.%Y%m%d%H.log.gz` })),
        ...http.map((name) => ({ name, type: 'http', format: 'ndjson', url: 'http://127.0.0.1:9/' })),
      ],
    }),
  );
  return file;
}

async function runAgent(): Promise<void> {
  const { code, stderr } = await auditail(['run', '-c', config, '--exit-at-eof']);
  assert.equal(code, 0, stderr);
}

/** As lumberjack does; the rotated file is an hour old, so that it is finished at once. */
function rotate(second: number): string {
  const rotated = path.join(path.dirname(live), `audit-2026-01-15T12-00-${String(second).padStart(2, '0')}.000.log`);
  renameSync(live, rotated);
  const past = Date.now() / 1000 - 3600;
  utimesSync(rotated, past, past);
  return rotated;
}

interface Segment {
  readonly path: string;
  readonly state: string;
  readonly size: number | null;
  readonly last_event: string | null;
  readonly sinks: { sink: string; configured: boolean; offset: number; lag: number }[];
}

async function list(
  ...args: string[]
): Promise<{ segments: Segment[]; omitted: number; gaps: Record<string, unknown>[] }> {
  const { code, stdout, stderr } = await auditail(['offsets', 'list', '-c', config, '--json', ...args]);
  assert.equal(code, 0, stderr);
  const [source] = JSON.parse(stdout).sources;
  assert.equal(source.name, 'apiserver');
  const [stream, ...others] = source.streams;
  assert.equal(stream.path, live);
  assert.deepEqual(others, []);
  return { segments: stream.segments, omitted: stream.finished_omitted, gaps: source.gaps };
}

test('without a state database it is one clear sentence', async () => {
  const { code, stdout, stderr } = await auditail(['offsets', 'list', '-c', config]);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  assert.match(
    stderr,
    /^auditail: there is no state database .*state\.sqlite: nothing was started with it yet\. [^\n]*\n$/,
  );
});

test('offset and lag of the live file, and of one that was rotated while the agent was down', async () => {
  writeFileSync(live, EVENTS.slice(0, 100).join(''));
  await runAgent();
  const taken = Buffer.byteLength(EVENTS.slice(0, 100).join(''));
  const [caughtUp] = (await list()).segments;
  assert.deepEqual(caughtUp, {
    path: live,
    state: 'reading',
    size: taken,
    first_event: caughtUp && (caughtUp as unknown as Record<string, string>).first_event,
    last_event: LAST_TIME(EVENTS.slice(0, 100)),
    sinks: [{ sink: 'archive', configured: true, offset: taken, lag: 0 }],
  });

  const more = EVENTS.slice(100, 150).join('');
  appendFileSync(live, more);
  const rotated = rotate(1);
  writeFileSync(live, EVENTS[200]!);
  const behind = (await list()).segments;
  assert.deepEqual(
    behind.map(({ path: file, state, size, sinks }) => [file, state, size, sinks[0]!.offset, sinks[0]!.lag]),
    [
      [rotated, 'reading', taken + Buffer.byteLength(more), taken, Buffer.byteLength(more)],
      [live, 'new', Buffer.byteLength(EVENTS[200]!), 0, Buffer.byteLength(EVENTS[200]!)],
    ],
  );

  // Gzip puts the content into another file: its lag stays the same.
  writeFileSync(`${rotated}.gz`, gzipSync(readFileSync(rotated)));
  rmSync(rotated);
  const [gzipped] = (await list()).segments;
  assert.deepEqual(
    [gzipped!.path, gzipped!.state, gzipped!.sinks[0]!.lag],
    [`${rotated}.gz`, 'reading', Buffer.byteLength(more)],
  );

  rmSync(`${rotated}.gz`);
  const [gone] = (await list()).segments;
  assert.deepEqual([gone!.state, gone!.size], ['gone', null]);
});

test('the newest finished files are listed, all of them with --all', async () => {
  for (let rotation = 0; rotation < 5; rotation += 1) {
    writeFileSync(live, EVENTS.slice(rotation * 10, rotation * 10 + 10).join(''));
    rotate(rotation);
  }
  writeFileSync(live, EVENTS.slice(50, 60).join(''));
  await runAgent();
  const newest = await list();
  assert.equal(newest.omitted, 2);
  assert.deepEqual(
    newest.segments.map(({ state }) => state),
    ['finished', 'finished', 'finished', 'reading'],
  );
  const all = await list('--all');
  assert.deepEqual([all.omitted, all.segments.length], [0, 6]);
  for (const { size, sinks } of all.segments) assert.deepEqual([sinks[0]!.offset, sinks[0]!.lag], [size, 0]);

  const { stdout } = await auditail(['offsets', 'list', '-c', config]);
  assert.ok(stdout.startsWith(`apiserver: ${live}\n`), stdout);
  assert.match(stdout, /^audit\.log +reading +[0-9.]+ KiB {2}archive {2}[0-9,]+ {2}0 B {2}2026-01-15 \S+Z$/m);
  assert.match(stdout, /^and 2 older finished files; --all shows them$/m);
  assert.ok(
    stdout
      .split('\n')
      .slice(1)
      .every((line) => line.length <= 100),
  );
});

test('a sink that is new, and one that is no longer configured', async () => {
  writeFileSync(live, EVENTS.slice(0, 10).join(''));
  await runAgent();
  config = configure(['other']);
  const [segment] = (await list()).segments;
  const { size } = segment!;
  assert.deepEqual(segment!.sinks, [
    { sink: 'other', configured: true, offset: 0, lag: size },
    { sink: 'archive', configured: false, offset: size, lag: 0 },
  ]);
  const { stdout } = await auditail(['offsets', 'list', '-c', config]);
  assert.match(stdout, / other +0 /);
  assert.match(stdout, / archive \(not configured\) /);
});

test('a finished file of which an HTTP sink lacks the end is listed, though newer ones are finished', async () => {
  for (let rotation = 0; rotation < 6; rotation += 1) {
    writeFileSync(live, EVENTS.slice(rotation * 10, rotation * 10 + 10).join(''));
    rotate(rotation);
  }
  writeFileSync(live, EVENTS.slice(60, 70).join(''));
  await runAgent();
  config = configure(['archive'], ['siem']);
  const db = openDatabase(path.join(directory, 'state'), 'process');
  const records = new SegmentRecords(db);
  const rows = records.segments(records.streamId('apiserver', live)).toSorted((a, b) => a.firstTime! - b.firstTime!);
  for (const [index, row] of rows.entries()) records.setOffset(row.id, 'siem', index === 1 ? 100 : row.sizeSeen);
  db.close();
  const { segments, omitted } = await list();
  assert.deepEqual(
    [omitted, ...segments.map(({ state }) => state)],
    [2, 'reading', 'finished', 'finished', 'finished', 'reading'],
  );
  const [behind] = segments;
  assert.deepEqual(behind!.sinks, [
    { sink: 'archive', configured: true, offset: behind!.size, lag: 0 },
    { sink: 'siem', configured: true, offset: 100, lag: behind!.size! - 100 },
  ]);
  const { stdout } = await auditail(['offsets', 'list', '-c', config]);
  assert.match(stdout, / reading .* archive .* 0 B .*\n +siem +100 +[0-9.]+ KiB/);

  rmSync(behind!.path);
  const [gone] = (await list()).segments;
  assert.deepEqual([gone!.state, gone!.size, gone!.sinks[1]!.lag], ['gone', null, behind!.size! - 100]);
});

test('an HTTP sink that was added later: what it will get of files that are there', async () => {
  writeFileSync(live, EVENTS.slice(0, 10).join(''));
  rotate(1);
  writeFileSync(live, EVENTS.slice(10, 20).join(''));
  await runAgent();
  config = configure(['archive'], ['siem']);
  const added = async () =>
    (await list()).segments.map(({ sinks }) => sinks.find(({ sink }) => sink === 'siem')?.offset);
  assert.deepEqual(await added(), [0, 0]);
  config = configure(['archive'], ['siem'], 'tail');
  const sizes = (await list()).segments.map(({ size }) => size);
  assert.deepEqual(await added(), sizes);
});

test('gaps are told', async () => {
  writeFileSync(live, EVENTS.slice(0, 10).join(''));
  await runAgent();
  const db = openDatabase(path.join(directory, 'state'), 'process');
  const stream = new SegmentRecords(db).streamId('apiserver', live);
  const lost = { path: `${live}.1`, startOffset: 12345, afterTime: undefined, reason: 'deleted' };
  new GapRecords(db).add(stream, { ...lost, endOffset: undefined, beforeTime: Date.UTC(2026, 0, 15, 9) }, 0);
  // While the agent's connection is open, as beside a running one.
  const { gaps } = await list();
  const { stdout } = await auditail(['offsets', 'list', '-c', config]);
  db.close();
  assert.deepEqual(gaps, [
    {
      stream: live,
      path: `${live}.1`,
      from_offset: 12345,
      to_offset: null,
      after_event: '2026-01-15T09:00:00.000Z',
      before_event: null,
      reason: 'deleted',
      found_at: '1970-01-01T00:00:00.000Z',
    },
  ]);
  assert.match(stdout, /^apiserver: 1 gap, where events were lost/m);
  assert.match(stdout, /audit\.log\.1 +12,345 +unknown {2}2026-01-15 09:00:00Z {2}-$/m);
});

test('a source whose log does not exist yet', async () => {
  await runAgent();
  const { code, stdout } = await auditail(['offsets', 'list', '-c', config]);
  assert.equal(code, 0);
  assert.ok(stdout.startsWith(`apiserver: ${live}\n`) || stdout === 'apiserver: no log was seen yet\n\n', stdout);
});
