import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import type { SampleEncoder } from '../../src/cli/dry-run/bodies.ts';
import { dryRunWith } from '../../src/cli/dry-run.ts';
import { runProgram } from '../../src/cli/program.ts';
import { auditail } from './cli-process.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-dry-run-http-'));
after(() => rmSync(directory, { recursive: true }));

function written(name: string, content: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

const A1 = '{"objectRef":{"namespace":"a"},"stageTimestamp":"2026-01-15T15:30:00Z"}';
const A2 = '{"objectRef":{"namespace":"a"},"stageTimestamp":"2026-01-15T15:40:00.5Z"}';
const B = '{"objectRef":{"namespace":"b"},"stageTimestamp":"2026-01-15T15:50:00Z"}';
const LONG = `{"pad":"${'x'.repeat(2000)}"}`;
const LOG = written('audit.log', `${[A1, B, '', 'no event', A2, LONG].join('\n')}\n`);

const SINKS = [
  { name: 'archive', type: 'file', match: 'audit.b', path: '/out/${tag}.log' },
  { name: 'es', type: 'http', format: 'elasticsearch', match: 'audit.**', url: 'https://es:9200/hunter2' },
  { name: 'tenant', type: 'http', format: 'ndjson', match: '**', unparsed: 'skip', url: 'http://t/?key=hunter2' },
];

function configured(name: string, sinks: readonly object[]): string {
  return written(name, JSON.stringify({ sources: [{ path: '/log', max_line_bytes: '1KiB' }], sinks }));
}

const CONFIG = configured('all.yaml', SINKS);

/** Runs the command with this encoder. */
async function dryRun(encode: SampleEncoder, ...args: string[]) {
  const printed = { stdout: '', stderr: '' };
  const output = (name: keyof typeof printed) => ({
    write(text: string | Uint8Array): boolean {
      printed[name] += Buffer.from(text).toString();
      return true;
    },
  });
  const terminal = { stdin: new PassThrough(), stdout: output('stdout'), stderr: output('stderr'), env: {} };
  const code = await runProgram(['dry-run', ...args], terminal, [dryRunWith(encode)]);
  return { code, ...printed };
}

test('HTTP sinks have a row with what they would get, and no secret of theirs', async () => {
  const { code, stdout } = await auditail(['dry-run', '-c', CONFIG, LOG]);
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /hunter2/);
  assert.match(stdout, /^audit\.a +2 +146 B .* es, tenant$/m);
  assert.match(stdout, /^audit\.b +1 +72 B .* archive, es, tenant$/m);
  assert.match(stdout, /^audit\._unparsed +1 +9 B {2}on arrival +es$/m);
  assert.match(stdout, /^audit\._oversize +1 +2\.0 KiB {2}on arrival +es, tenant$/m);
  const range = '2026-01-15 15:30:00Z {2}15:50:00Z';
  assert.match(stdout, new RegExp(`^http es +5 +227 B {2}${range} {2}https://es:9200$`, 'm'));
  assert.match(stdout, new RegExp(`^http tenant +4 +218 B {2}${range} {2}http://t$`, 'm'));
  assert.match(stdout, /^es +5 events, 227 B as they were read, to https:\/\/es:9200 \(elasticsearch\)$/m);
  assert.match(stdout, /^ +1 of them in place of oversize lines, which are not sent$/m);
  assert.match(stdout, /^ +1 further line left out as no events \(unparsed: skip\)$/m);
  assert.doesNotMatch(stdout, /^unrouted/m);
});

test('the same as JSON', async () => {
  const { stdout } = await auditail(['dry-run', '-c', CONFIG, '--json', '--show', '1', LOG]);
  assert.doesNotMatch(stdout, /hunter2/);
  const { sinks, samples, bodies, totals } = JSON.parse(stdout);
  assert.deepEqual(sinks[2], {
    name: 'tenant',
    type: 'http',
    format: 'ndjson',
    origin: 'http://t',
    compress: 'gzip',
    events: 4,
    bytes: 218,
    first_time: '2026-01-15T15:30:00.000Z',
    last_time: '2026-01-15T15:50:00.000Z',
    stubs: 1,
    skipped: { events: 1, bytes: 9, first_time: null, last_time: null },
  });
  assert.deepEqual([sinks[0].type, sinks[0].files.length, sinks[1].skipped.events], ['file', 1, 0]);
  assert.deepEqual(samples[1].targets, [
    { sink: 'archive', path: '/out/audit.b.log' },
    { sink: 'es', origin: 'https://es:9200' },
    { sink: 'tenant', origin: 'http://t' },
  ]);
  const body = '{"objectRef":{"namespace":"a"},"stageTimestamp":"2026-01-15T15:30:00Z"}\n';
  assert.deepEqual(bodies[1], { tag: 'audit.a', sink: 'tenant', events: 1, content: body });
  assert.match(bodies[0].content, /^\{"create":\{"_index":"audit-2026\.01\.15","_id":"[\w-]{22}"\}\}\n/);
  assert.equal(totals.unrouted.events, 0);
});

test('a line that every sink leaves out is not unrouted', async () => {
  const config = configured('skip.yaml', [SINKS[2]!]);
  const { stdout } = await auditail(['dry-run', '-c', config, '--json', LOG]);
  const { tags, totals } = JSON.parse(stdout);
  assert.deepEqual(tags.find(({ tag }: { tag: string }) => tag === 'audit._unparsed').sinks, []);
  assert.equal(totals.unrouted.events, 0);
});

test('an encoder gets the lines of a tag that are shown, with all that a sink knows of them', async () => {
  const seen: unknown[] = [];
  const began = Date.now();
  const encode: SampleEncoder = ({ name }, events) => {
    for (const { time, content, reason, ...rest } of events) {
      assert.equal(typeof reason, rest.tag.startsWith('audit._') ? 'string' : 'undefined');
      const given = time < began ? new Date(time).toISOString() : 'arrival';
      seen.push([name, rest.tag, given, content?.toString(), rest.offset, rest.length, rest.source, rest.path === LOG]);
    }
    return `${name}: ${events.map(({ tag }) => tag).join('+')}`;
  };
  const { code, stdout, stderr } = await dryRun(encode, '-c', CONFIG, '--show', '2', '--json', LOG);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const offset = (line: string) => [A1, B, '', 'no event', A2, LONG].join('\n').indexOf(line);
  assert.deepEqual(seen, [
    ['es', 'audit.a', '2026-01-15T15:30:00.000Z', A1, 0, A1.length, 'apiserver', true],
    ['es', 'audit.a', '2026-01-15T15:40:00.500Z', A2, offset(A2), A2.length, 'apiserver', true],
    ['tenant', 'audit.a', '2026-01-15T15:30:00.000Z', A1, 0, A1.length, 'apiserver', true],
    ['tenant', 'audit.a', '2026-01-15T15:40:00.500Z', A2, offset(A2), A2.length, 'apiserver', true],
    ['es', 'audit.b', '2026-01-15T15:50:00.000Z', B, offset(B), B.length, 'apiserver', true],
    ['tenant', 'audit.b', '2026-01-15T15:50:00.000Z', B, offset(B), B.length, 'apiserver', true],
    ['es', 'audit._unparsed', 'arrival', 'no event', offset('no event'), 8, 'apiserver', true],
    ['es', 'audit._oversize', 'arrival', undefined, offset(LONG), LONG.length, 'apiserver', true],
    ['tenant', 'audit._oversize', 'arrival', undefined, offset(LONG), LONG.length, 'apiserver', true],
  ]);
  assert.deepEqual(JSON.parse(stdout).bodies.slice(0, 2), [
    { tag: 'audit.a', sink: 'es', events: 2, content: 'es: audit.a+audit.a' },
    { tag: 'audit.a', sink: 'tenant', events: 2, content: 'tenant: audit.a+audit.a' },
  ]);
});

test('--show prints behind the lines of a tag what each HTTP sink would send for them', async () => {
  const { stdout } = await dryRun(({ name }, events) => `${name}\n${events.length}`, '-c', CONFIG, '--show', '2', LOG);
  assert.ok(
    stdout.startsWith(
      [
        `audit.a, ${LOG}:1, to es: https://es:9200, tenant: http://t`,
        `${A1}\n`,
        `audit.a, ${LOG}:5, to es: https://es:9200, tenant: http://t`,
        `${A2}\n`,
        'audit.a, 2 events as es sends them (elasticsearch)',
        'es\n2\n',
        'audit.a, 2 events as tenant sends them (ndjson)',
        'tenant\n2\n',
        `audit.b, ${LOG}:2, to archive: /out/audit.b.log, es: https://es:9200, tenant: http://t`,
        `${B}\n`,
        'audit.b, 1 event as es sends them (elasticsearch)',
      ].join('\n'),
    ),
    stdout,
  );
});

test('without --show nothing is encoded', async () => {
  const { code } = await dryRun(() => assert.fail('encoded'), '-c', CONFIG, LOG);
  assert.equal(code, 0);
});
