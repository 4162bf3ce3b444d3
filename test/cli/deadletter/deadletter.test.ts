import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { DeadLetterStore } from '../../../src/checkpoint/dead-letter-store.ts';
import { HttpOccurrences } from '../../../src/telemetry/http-occurrences.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { auditail } from '../cli-process.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-deadletter-'));
after(() => rmSync(root, { recursive: true }));

const NOW = Date.UTC(2026, 0, 15, 12);

let stateDir: string;
let config: string;
beforeEach(() => {
  const directory = mkdtempSync(path.join(root, 'case-'));
  stateDir = path.join(directory, 'state');
  config = path.join(directory, 'auditail.yaml');
  const sinks = [{ name: 'archive', type: 'file', path: `${directory}/archive/\${tag}.%Y%m%d%H.log.gz` }];
  writeFileSync(config, JSON.stringify({ state_dir: stateDir, sources: [{ path: `${directory}/log` }], sinks }));
});

function put(sink: string, letters: readonly { line: Buffer; reason?: string }[]): void {
  const store = DeadLetterStore.open(stateDir, 'process');
  const occurrences = new HttpOccurrences(new Telemetry(pino({ level: 'silent' })), sink);
  const box = store.box(sink, { maxBytes: 1e6, overflow: 'block' }, occurrences, () => NOW);
  box.add(
    letters.map(({ line, reason = 'mapper_parsing_exception' }, n) => ({
      event: {
        tag: `audit.team-${n}`,
        time: NOW + n,
        line,
        source: 'apiserver',
        path: '/log/audit.log',
        offset: n * 10,
      },
      reason,
    })),
  );
  store.close();
}

const lines = (count: number) => Array.from({ length: count }, (_, n) => ({ line: Buffer.from(`{"n":${n}}`) }));

async function deadletter(command: string, ...args: string[]) {
  return auditail(['deadletter', command, '-c', config, ...args]);
}

test('without dead letters that is said, by each command', async () => {
  for (const args of [['list'], ['list', '--json'], ['drop', '--all']]) {
    const { code, stdout, stderr } = await deadletter(...(args as [string]));
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      args[0] === 'drop' ? 'dropped 0 dead letters\n' : args.length === 1 ? 'there are no dead letters\n' : '',
    );
  }
});

test('list shows for each sink what it has, why, and where it was read', async () => {
  put('es', [...lines(1), { line: Buffer.from('{}'), reason: `bad\x1b[2J\n${'long '.repeat(100)}` }]);
  put('loki', lines(60));
  const { code, stdout, stderr } = await deadletter('list');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^es \(not configured\): 2 dead letters, \d+ B\n/);
  assert.match(stdout, /^mapper_parsing_exception +1 +2026-01-15 12:00:00Z +1 +audit\.team-0 +\/log\/audit\.log:0$/m);
  assert.match(stdout, /^bad\\x1b\[2J long .*… +2 /m);
  assert.match(stdout, /^loki \(not configured\): 60 dead letters.*\nand 10 more; --limit shows them\n\n$/ms);
  const few = await deadletter('list', '--sink', 'loki', '--limit', '2');
  assert.match(few.stdout, /^loki .*\nand 58 more/s);
});

test('list --json gives each letter with its bytes', async () => {
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
  put('es', [{ line: Buffer.from('{"ä":"\u{1f600}"}') }, { line: bytes }]);
  const { stdout } = await deadletter('list', '--json');
  const [text, binary, ...others] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(others, []);
  assert.deepEqual(text, {
    sink: 'es',
    id: 1,
    put_aside: '2026-01-15T12:00:00.000Z',
    reason: 'mapper_parsing_exception',
    attempts: 1,
    tag: 'audit.team-0',
    time: '2026-01-15T12:00:00.000Z',
    source: 'apiserver',
    path: '/log/audit.log',
    offset: 0,
    raw: '{"ä":"\u{1f600}"}',
  });
  assert.deepEqual(Buffer.from(binary.raw_base64, 'base64'), bytes);
  assert.equal('raw' in binary, false);
});

test('list --json gives all letters, beyond what is looked up at once', async () => {
  put('es', lines(2300));
  const { stdout } = await deadletter('list', '--json');
  const ids = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  assert.deepEqual(
    ids,
    Array.from({ length: 2300 }, (_, n) => n + 1),
  );
});

test('drop deletes the named letters, or all of a sink, and says how many', async () => {
  put('es', lines(4));
  put('loki', lines(2));
  assert.equal((await deadletter('drop', '--id', '2', '3', '2')).stdout, 'dropped 2 dead letters\n');
  assert.equal((await deadletter('drop', '--sink', 'loki', '--all')).stdout, 'dropped 2 dead letters\n');
  assert.equal((await deadletter('drop', '--id', '4')).stdout, 'dropped 1 dead letter\n');
  const { stdout } = await deadletter('list', '--json');
  assert.deepEqual(stdout.match(/"id":\d+/g), ['"id":1']);
});

test('what is asked for wrongly is told, and nothing is dropped', async () => {
  put('es', lines(2));
  for (const [args, code, message] of [
    [['drop'], 2, /needs either --id .* or --all/],
    [['drop', '--id', '1', '--all'], 2, /needs either/],
    [['drop', '--id', 'x'], 2, /"x" is no id/],
    [['drop', '--id', '1', '9'], 1, /there is no dead letter with the id 9/],
    [['drop', '--sink', 'archive', '--all'], 2, /there is no HTTP sink "archive"\. Known are: es/],
    [['list', '--sink', 'loki'], 2, /there is no HTTP sink "loki"\. Known are: es/],
    [['list', '--limit', '0'], 2, /whole number above 0/],
  ] as const) {
    const finished = await deadletter(...(args as unknown as [string]));
    assert.equal(finished.code, code, finished.stderr);
    assert.match(finished.stderr, message);
  }
  assert.equal((await deadletter('list', '--json')).stdout.trimEnd().split('\n').length, 2);
});
