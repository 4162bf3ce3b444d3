import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { unsupportedNode } from '../../src/node-version.ts';
import { auditail, withoutReader } from './cli-process.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-main-'));
after(() => rmSync(directory, { recursive: true }));

function preload(source: string): string[] {
  return ['--import', `data:text/javascript,${encodeURIComponent(source)}`];
}

test('too old a Node.js is one clear sentence', async () => {
  const node = preload(
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })",
  );
  assert.deepEqual(await auditail(['--help'], { node }), {
    code: 1,
    stdout: '',
    stderr:
      'auditail: needs Node.js 24 or newer, and this is 20.1.0. Start it with npx auditail, which brings its own\n',
  });
  assert.equal(unsupportedNode('24.0.0'), undefined);
  assert.equal(unsupportedNode('100.0.0'), undefined);
  assert.notEqual(unsupportedNode('23.11.1'), undefined);
});

test('the thread pool has a thread for each core and some to spare, unless the environment says otherwise', async (t) => {
  if (process.platform !== 'linux') return t.skip('threads are counted in /proc, which only Linux has');
  const node = preload(`
    import { pbkdf2 } from 'node:crypto';
    import { readdirSync, readFileSync } from 'node:fs';
    process.once('beforeExit', () => {
      for (let i = 0; i < 64; i += 1) pbkdf2('a', 'b', 20000, 64, 'sha256', () => {});
      setImmediate(() => {
        const names = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/comm', 'utf8'));
        process.stdout.write(String(names.filter((name) => name.startsWith('libuv-worker')).length));
      });
    });`);
  const threads = async (env: NodeJS.ProcessEnv) =>
    (await auditail(['--version'], { node, env })).stdout.split('\n')[1];
  assert.equal(await threads({}), String(os.availableParallelism() + 4));
  assert.equal(await threads({ UV_THREADPOOL_SIZE: '3' }), '3');
});

test('wrong usage is exit code 2, help is 0', async () => {
  const wrong = await auditail(['chekc']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^auditail: unknown command 'chekc'\n\(Did you mean check\?\)/);
  assert.equal((await auditail(['check', '--help'])).code, 0);
});

test('an error is one sentence; its stack is shown on request only', async () => {
  const args = ['check', '-c', path.join(directory, 'none.yaml')];
  const plain = await auditail(args);
  assert.equal(plain.code, 2);
  assert.equal(plain.stdout, '');
  assert.match(plain.stderr, /^auditail: cannot read the configuration .*ENOENT.*Name an existing file.*\n$/);
  assert.equal(plain.stderr.split('\n').length, 2);
  const debugged = await auditail(args, { env: { AUDITAIL_DEBUG: '1' } });
  assert.match(debugged.stderr, /\n {4}at /);
});

test('an error that nobody expected is one sentence too', async () => {
  const node = preload("process.once('beforeExit', () => { throw new Error('out of order') })");
  const { code, stderr } = await auditail(['--version'], { node });
  assert.deepEqual({ code, stderr }, { code: 1, stderr: 'auditail: out of order\n' });
});

test('a reader that goes away ends it quietly', async () => {
  const file = path.join(directory, 'many-sinks.yaml');
  const sinks = Array.from(
    { length: 250 },
    (_, i) => `  - { name: s${i}, type: file, path: '/nowhere/s${i}-\${tag}.log' }`,
  );
  writeFileSync(file, `sinks:\n${sinks.join('\n')}\n`);
  assert.deepEqual(await withoutReader(['check', '-c', file, '--json']), { code: 0, stderr: '' });
});
