import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { auditail, MAIN } from '../cli/cli-process.ts';
import { dockerPart } from '../helpers/container-log.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures');

function temporary(context: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'auditail-convert-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function event(id: number, namespace: string | undefined, time: string): string {
  const objectRef = namespace === undefined ? { resource: 'nodes' } : { resource: 'pods', namespace };
  return JSON.stringify({ kind: 'Event', auditID: `${id}`, objectRef, stageTimestamp: time });
}

test('a td-agent configuration becomes one with which the agent writes the same files', async (context) => {
  const directory = temporary(context);
  const at = (name: string) => path.join(directory, name);
  mkdirSync(at('log'));
  const text = readFileSync(path.join(FIXTURES, 'td-agent.conf'), 'utf8');
  writeFileSync(
    at('kube.conf'),
    text.replaceAll('/var/log/kube-audit', at('log')).replaceAll('/var/log/audit-archive', at('archive')),
  );
  writeFileSync(at('td-agent.conf'), "# the master configuration\n@include './kube.conf'\n");
  const lines = [
    event(1, 'kube-system', '2024-05-06T07:10:00.000000Z'),
    event(2, 'default', '2024-05-06T07:20:00.000000Z'),
    event(3, undefined, '2024-05-06T07:30:00.000000Z'),
    event(4, 'default', '2024-05-06T08:10:00.000000Z'),
    event(5, 'default', '2024-05-06T07:40:00.000000Z'),
  ];
  writeFileSync(at('log/audit.log'), `${lines.join('\n')}\n`);

  const env = { TZ: 'Asia/Tokyo' };
  const converted = await auditail(['convert', at('td-agent.conf'), '-o', at('auditail.yaml')], { env });
  assert.equal(converted.code, 0, converted.stderr);
  assert.match(converted.stderr, /kube\.conf:46:5: warning: include_time_key/);
  assert.equal(statSync(at('auditail.yaml')).mode & 0o777, 0o600);
  writeFileSync(at('auditail.yaml'), `state_dir: ${at('state')}\n${readFileSync(at('auditail.yaml'), 'utf8')}`);
  const checked = await auditail(['check', '-c', at('auditail.yaml')]);
  assert.equal(checked.code, 0, checked.stderr);

  const run = spawnSync(process.execPath, [MAIN, 'run', '-c', at('auditail.yaml'), '--exit-at-eof'], {
    encoding: 'utf8',
  });
  assert.equal(run.status, 0, run.stderr);
  const files = Object.fromEntries(
    readdirSync(at('archive')).map((name) => [
      name,
      gunzipSync(readFileSync(path.join(at('archive'), name)))
        .toString()
        .trimEnd()
        .split('\n'),
    ]),
  );
  // 07 in UTC is 16 in Tokyo: fluentd slices by local time.
  assert.deepEqual(files, {
    'audit-kube-system.2024050616.log.gz': [lines[0]],
    'audit-default.2024050616.log.gz': [lines[1], lines[4]],
    'audit-none.2024050616.log.gz': [lines[2]],
    'audit-default.2024050617.log.gz': [lines[3]],
  });
});

test('a Fluent Bit input of container logs becomes one that reads the same events', async (context) => {
  const directory = temporary(context);
  const at = (name: string) => path.join(directory, name);
  mkdirSync(at('containers'));
  mkdirSync(at('docker'));
  const text = readFileSync(path.join(FIXTURES, 'fluent-bit.conf'), 'utf8');
  writeFileSync(at('fluent-bit.conf'), text.replace('/var/log/containers', at('containers')));
  const converted = await auditail(['convert', at('fluent-bit.conf'), '-o', at('auditail.yaml'), '--quiet']);
  assert.equal(converted.code, 0, converted.stderr);
  assert.doesNotMatch(converted.stderr, /: note: |Parser/);
  const sinks = JSON.stringify([
    { name: 'archive', type: 'file', path: `${at('archive')}/\${tag[-1]}.log`, compress: 'none' },
  ]);
  const made = readFileSync(at('auditail.yaml'), 'utf8');
  writeFileSync(at('auditail.yaml'), `state_dir: ${at('state')}\nsinks: ${sinks}\n${made}`);
  const checked = await auditail(['check', '-c', at('auditail.yaml')]);
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /\*_portal-system_audit-log\*\.log/);

  const events = [1, 2, 3].map((id) => event(id, 'default', '2024-05-06T07:10:00.000000Z'));
  const [one, two, three] = events as [string, string, string];
  const log = at('docker/0123-json.log');
  writeFileSync(`${log}.1`, dockerPart({ text: one }) + dockerPart({ text: two.slice(0, 30), isPartial: true }));
  writeFileSync(log, dockerPart({ text: two.slice(30), timeMs: Date.UTC(2027, 0, 1) }) + dockerPart({ text: three }));
  symlinkSync(log, at('containers/portal-1_portal-system_audit-log-0123.log'));
  const run = spawnSync(process.execPath, [MAIN, 'run', '-c', at('auditail.yaml'), '--exit-at-eof'], {
    encoding: 'utf8',
  });
  assert.equal(run.status, 0, run.stderr);
  const files = readdirSync(at('archive')).map((name) => readFileSync(path.join(at('archive'), name), 'utf8'));
  assert.deepEqual(files.join('').trimEnd().split('\n'), events);
});

test('exit codes, --strict, --force and --json', async (context) => {
  const directory = temporary(context);
  const output = path.join(directory, 'a.yaml');
  const fixture = path.join(FIXTURES, 'td-agent.conf');
  assert.equal((await auditail(['convert', fixture, '--strict'])).code, 1);
  writeFileSync(output, 'mine');
  const refused = await auditail(['convert', fixture, '-o', output]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /exists already.*--force/);
  assert.equal(readFileSync(output, 'utf8'), 'mine');
  assert.equal((await auditail(['convert', fixture, '-o', output, '--force'])).code, 0);
  assert.match(readFileSync(output, 'utf8'), /^sources:/m);
  const json = JSON.parse((await auditail(['convert', fixture, '--json'])).stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(json), ['dialect', 'yaml', 'warnings', 'notes', 'translated']);
  writeFileSync(path.join(directory, 'broken.conf'), '<source>\n  @type tail\n');
  const broken = await auditail(['convert', path.join(directory, 'broken.conf')]);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /broken\.conf:1:1: <source> is never closed/);
  const missing = await auditail(['convert', path.join(directory, 'no.conf')]);
  assert.equal(missing.code, 2);
  assert.ok(!existsSync(path.join(directory, 'no.conf')));
});
