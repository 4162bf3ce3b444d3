import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AuditEvents } from '../../bench/audit-events.ts';
import { auditail } from './cli-process.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-dry-run-'));
after(() => rmSync(directory, { recursive: true }));

const EVENTS = [...new AuditEvents({ count: 3000 })];
const LOG = Buffer.from(`${EVENTS.join('\n')}\n`);
const log = written('audit.log', LOG);

interface Counts {
  readonly events: number;
  readonly bytes: number;
  readonly first_time: string | null;
  readonly last_time: string | null;
}

interface Report {
  readonly inputs: { name: string; bytes: number; lines: number; unterminated: boolean; error: string | null }[];
  readonly totals: Counts & Record<string, number> & { readonly unrouted: Counts };
  readonly tags: (Counts & { tag: string; sinks: string[] })[];
  readonly sinks: { name: string; files: (Counts & { path: string })[]; overflow: Counts }[];
  readonly problems: { kind: string; file: string; line: number; column: number; reason: string }[];
  readonly problems_omitted: number;
  readonly samples: { tag: string; line: number; content: string | null; content_base64: string | null }[];
}

function written(name: string, content: string | Uint8Array): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

function configured(name: string, config: object): string {
  return written(name, JSON.stringify({ state_dir: path.join(directory, 'state'), ...config }));
}

async function report(args: readonly string[], stdin?: Uint8Array): Promise<Report & { code: number | null }> {
  const { code, stdout, stderr } = await auditail(['dry-run', '--json', ...args], stdin === undefined ? {} : { stdin });
  assert.notEqual(stdout, '', stderr);
  return { ...(JSON.parse(stdout) as Report), code };
}

/** Events by `namespace` or `namespace hour`, counted without any of our code: by jq where it is installed. */
function countedElsewhere(file: string, byHour: boolean): Record<string, number> {
  if (spawnSync('jq', ['--version']).status === 0) {
    const key = byHour ? '($ns + " " + .stageTimestamp[:13])' : '$ns';
    const program = `reduce inputs as $e ({}; . as $all | $e | (.objectRef.namespace // "_none") as $ns | ${key} as $k | $all | .[$k] += 1)`;
    return JSON.parse(execFileSync('jq', ['-n', program, file], { encoding: 'utf8' }));
  }
  const counts: Record<string, number> = {};
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const event = JSON.parse(line);
    const key = `${event.objectRef?.namespace ?? '_none'}${byHour ? ` ${event.stageTimestamp.slice(0, 13)}` : ''}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

test('tags, files, bytes and times are those of an independent count', async () => {
  const found = await report([log]);
  assert.equal(found.code, 0);
  assert.deepEqual(
    Object.fromEntries(found.tags.map(({ tag, events }) => [tag.replace(/^audit\./, ''), events])),
    countedElsewhere(log, false),
  );
  const [archive] = found.sinks;
  const files = archive!.files.map(({ path: file, events }) => {
    const [, namespace, date, hour] = /^\/var\/log\/auditail\/audit-(.*)\.(\d{8})(\d{2})\.log\.gz$/.exec(file)!;
    const day = date!.replace(/(....)(..)(..)/, '$1-$2-$3');
    return [`${namespace} ${day}T${hour}`, events];
  });
  assert.deepEqual(Object.fromEntries(files), countedElsewhere(log, true));
  const times = EVENTS.map((line) => Date.parse(JSON.parse(line).stageTimestamp));
  assert.deepEqual(found.totals, {
    input_bytes: LOG.length,
    lines: EVENTS.length,
    events: EVENTS.length,
    bytes: LOG.length,
    first_time: new Date(Math.min(...times)).toISOString(),
    last_time: new Date(Math.max(...times)).toISOString(),
    blank_lines: 0,
    torn_lines: 0,
    oversize_lines: 0,
    unparsable_lines: 0,
    text_lines: 0,
    other_stream_lines: 0,
    null_bytes: 0,
    unrouted: { events: 0, bytes: 0, first_time: null, last_time: null },
  });
  for (const counts of [found.tags, archive!.files]) {
    assert.equal(
      counts.reduce((sum, { bytes }) => sum + bytes, 0),
      LOG.length,
    );
  }
  assert.ok(found.tags.every(({ sinks }) => sinks.length === 1 && sinks[0] === 'archive'));
});

test('stdin, gzip, and gzip of several members give the same', async () => {
  const half = LOG.length >> 1;
  const members = Buffer.concat([gzipSync(LOG.subarray(0, half)), gzipSync(LOG.subarray(half))]);
  const facts = ({ tags, sinks, totals }: Report) => ({ tags, sinks, totals: { ...totals, input_bytes: 0 } });
  const expected = facts(await report([log]));
  const gzip = await report([written('no-extension', gzipSync(LOG))]);
  assert.deepEqual(facts(gzip), expected);
  assert.equal(gzip.inputs[0]!.bytes, gzipSync(LOG).length);
  assert.deepEqual(facts(await report([written('members.gz', members)])), expected);
  assert.deepEqual(facts(await report(['-'], LOG)), expected);
  assert.deepEqual(facts(await report(['-'], members)), expected);
  const both = await report([log, '-'], LOG);
  assert.equal(both.totals.events, 2 * EVENTS.length);
  assert.deepEqual(
    both.inputs.map(({ name, lines }) => [name, lines]),
    [
      [log, EVENTS.length],
      ['stdin', EVENTS.length],
    ],
  );
});

test('the table has the same numbers', async () => {
  const { stdout, stderr, code } = await auditail(['dry-run', log]);
  assert.deepEqual({ stderr, code }, { stderr: '', code: 0 });
  assert.doesNotMatch(stdout, /\x1b/);
  const found = await report([log]);
  const lines = stdout.split('\n');
  for (const { tag, events } of found.tags) {
    const row = lines.find((line) => line.startsWith(`${tag} `));
    assert.match(row ?? '', new RegExp(`^${tag} +${events.toLocaleString('en-US')} +[0-9.]+ [KM]iB  2026-.*archive$`));
  }
  for (const { path: file, events } of found.sinks[0]!.files) {
    const row = lines.find((line) => line.startsWith(`${path.basename(file)} `));
    assert.match(row ?? '', new RegExp(` ${events.toLocaleString('en-US')} +[0-9.]+ [KM]?i?B  2026-01-15 .*Z  .*Z$`));
  }
  assert.match(stdout, /^events +3,000, 2026-01-15 09:00:0\dZ to 11:59:\d\dZ, as source apiserver$/m);
  assert.ok(
    lines.every((line) => line.length <= 100),
    'readable in 100 columns',
  );
});

test('what cannot be read is told, what could be read is shown, and other inputs are done', async () => {
  const compressed = gzipSync(LOG);
  const cut = written('cut.log.gz', compressed.subarray(0, compressed.length >> 1));
  const missing = path.join(directory, 'missing.log');
  const { code, stdout, stderr } = await auditail(['dry-run', '--json', missing, cut, directory, log]);
  assert.equal(code, 1);
  const found = JSON.parse(stdout) as Report;
  const [first, second, third, fourth] = found.inputs;
  assert.deepEqual([first!.lines, third!.lines, fourth!.lines], [0, 0, EVENTS.length]);
  assert.match(first!.error!, /^cannot read .*missing\.log: ENOENT/);
  assert.match(second!.error!, /^.*cut\.log\.gz is not whole gzip: unexpected end of file\. What it holds/);
  assert.match(third!.error!, /is a directory\. Name the files in it/);
  assert.equal(fourth!.error, null);
  assert.deepEqual(stderr.split('\n').filter(Boolean).length, 3);
  // The last whole line before the cut, by gzip itself.
  const readable = spawnSync('gzip', ['-dc', cut], { maxBuffer: 1 << 30 }).stdout;
  const lines = readable.toString('latin1').split('\n').length;
  assert.equal(second!.lines, lines);
  assert.equal(found.totals.events, EVENTS.length + lines - 1);
});

const FAULTY = Buffer.concat([
  Buffer.from(`${EVENTS[0]}\n\n \t\r\n`),
  Buffer.from('{"a":1,}\nnot json\n[1]\n'),
  Buffer.from(`\0\0\0${EVENTS[1]}\n\0\0{"a" 1}\n`),
  Buffer.from(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","requestURI":"/a${EVENTS[2]}\n`),
  Buffer.from(`{"pad":"${'x'.repeat(4096)}"}\n`),
  Buffer.from('{"bytes":"\xff\xfe"}\n{"bad":"\x01"}\n', 'latin1'),
  Buffer.from(`${EVENTS[3]}\n{"kind":"Ev`),
]);

test('lines that are no events are counted and named with line and column', async () => {
  const file = written('faulty.log', FAULTY);
  const config = configured('small-lines.yaml', { sources: [{ path: '/var/log/audit.log', max_line_bytes: 4096 }] });
  assert.ok(
    EVENTS.slice(0, 4).every((line) => line.length < 3000),
    'the first events are short',
  );
  const found = await report(['-c', config, file]);
  assert.equal(found.code, 0);
  const { totals, problems } = found;
  assert.deepEqual(
    [
      totals.lines,
      totals.events,
      totals.blank_lines,
      totals.null_bytes,
      totals.oversize_lines,
      totals.torn_lines,
      totals.unparsable_lines,
    ],
    [14, 5, 2, 5, 1, 1, 6],
  );
  const fragment = FAULTY.toString('latin1').split('\n')[8]!.length - Buffer.byteLength(EVENTS[2]!);
  assert.deepEqual(
    problems.map(({ kind, file: name, line, column }) => [kind, name, line, column]),
    [
      ['unparsable', file, 4, 8],
      ['unparsable', file, 5, 1],
      ['unparsable', file, 6, 1],
      ['unparsable', file, 8, 8],
      ['torn', file, 9, fragment + 3],
      ['oversize', file, 10, 1],
      ['unparsable', file, 12, 9],
      ['unparsable', file, 14, 12],
    ],
  );
  const { stderr, stdout, code } = await auditail(['dry-run', '-c', config, '--strict', file]);
  assert.equal(code, 1);
  assert.deepEqual(
    stderr.trimEnd().split('\n'),
    problems.map(({ line, column, reason }) => `${file}:${line}:${column}: ${reason}`),
  );
  assert.match(stderr, new RegExp(`:9:${fragment + 3}: .*; the event at column ${fragment + 1} is recovered$`, 'm'));
  assert.match(stderr, /:10:1: 4106 bytes, more than max_line_bytes \(4096\)$/m);
  assert.match(stdout, /^other lines +6 unparsable, 1 torn, 1 oversize, 2 blank$/m);
  assert.match(stdout, /^NUL bytes +5 skipped$/m);
  assert.match(stdout, /^audit\._unparsed +7 .* on arrival +archive$/m);
  assert.match(stdout, /^open end +1 input without a newline/m);
  assert.equal((await auditail(['dry-run', '--strict', log])).code, 0);
});

test('only the first faults are named, the others counted', async () => {
  const found = await report(['-'], Buffer.from('x\n'.repeat(50)));
  assert.deepEqual([found.problems.length, found.problems_omitted, found.totals.unparsable_lines], [20, 30, 50]);
  const { stderr } = await auditail(['dry-run', '-'], { stdin: Buffer.from('x\n'.repeat(50)) });
  assert.match(stderr, /^stdin:20:1: not a JSON object\nand 30 more such lines\n$/m);
});
