import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { StateLock } from '../../src/checkpoint/lock.ts';
import { AuditailError } from '../../src/errors.ts';
import { tempState } from './temp-state.ts';

const LOCK = path.resolve(import.meta.dirname, '../../src/checkpoint/lock.ts');

/** Another process that takes the lock and waits; resolves when it has it. */
async function holder(t: TestContext, dir: string) {
  const program = `
    import { StateLock } from ${JSON.stringify(LOCK)};
    const lock = StateLock.acquire(${JSON.stringify(dir)});
    process.stdin.once('data', () => { lock.release(); process.stdout.write('released'); });
    process.stdout.write('locked');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(String(text), 'locked');
  return child;
}

function refusal(dir: string): AuditailError {
  try {
    StateLock.acquire(dir).release();
  } catch (error) {
    if (error instanceof AuditailError) return error;
    throw error;
  }
  throw new Error('the lock was given');
}

test('a second process is refused and told who holds the directory', async (t) => {
  const dir = tempState(t);
  const child = await holder(t, dir);
  const error = refusal(dir);
  assert.equal(error.code, 'STATE_LOCKED');
  assert.ok(error.message.includes(`process ${child.pid} on ${os.hostname()}, since 20`), error.message);
  assert.ok(error.message.startsWith(dir), error.message);
  assert.ok((error.hint ?? '').length > 0);
  // The refused one must not write itself into the holder's place.
  assert.equal(refusal(dir).message, error.message);
});

test('the lock is free as soon as its holder is killed', async (t) => {
  const dir = tempState(t);
  const child = await holder(t, dir);
  child.kill('SIGKILL');
  await once(child, 'close');
  const lock = StateLock.acquire(dir);
  t.after(() => lock.release());
  assert.match(fs.readFileSync(path.join(dir, 'lock.holder'), 'utf8'), new RegExp(`^process ${process.pid} on `));
});

test('the lock is free when it was released, while its holder lives on', async (t) => {
  const dir = tempState(t);
  const child = await holder(t, dir);
  child.stdin.write('now');
  await once(child.stdout, 'data');
  StateLock.acquire(dir).release();
  assert.equal(child.exitCode, null);
});

test('one process does not get the lock twice, and releasing twice does no harm', (t) => {
  const dir = tempState(t);
  const lock = StateLock.acquire(dir);
  assert.equal(refusal(dir).code, 'STATE_LOCKED');
  lock.release();
  lock.release();
  StateLock.acquire(dir).release();
});

test('a holder whose name cannot be read is another process', (t) => {
  const dir = tempState(t);
  const lock = StateLock.acquire(dir);
  t.after(() => lock.release());
  fs.rmSync(path.join(dir, 'lock.holder'));
  assert.match(refusal(dir).message, /in use by another process$/);
});

test('what is no lock file is told, and not taken for a lock that is held', (t) => {
  const dir = tempState(t);
  fs.mkdirSync(path.join(dir, 'lock.sqlite'), { recursive: true });
  assert.equal(refusal(dir).code, 'STATE_LOCK');
});

test('a damaged lock file is told with the command that resolves it, to a start and to a command', (t) => {
  const dir = tempState(t);
  fs.mkdirSync(dir);
  const file = path.join(dir, 'lock.sqlite');
  for (const content of [Buffer.from('this is no database'), Buffer.alloc(5000, 0xa5)]) {
    fs.writeFileSync(file, content);
    const error = refusal(dir);
    assert.equal(error.code, 'STATE_LOCK');
    assert.throws(
      () => StateLock.assertFree(dir),
      (other) => other instanceof AuditailError && other.hint === error.hint,
    );
    const command = /with: (.*)$/.exec(error.hint ?? '')?.[1];
    assert.ok(command !== undefined, error.message);
    execFileSync('sh', ['-c', command]);
    StateLock.acquire(dir).release();
    fs.rmSync(file);
  }
});

for (const [what, make] of [
  ['a directory', (file: string) => fs.mkdirSync(file)],
  ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ['a link to another file', (file: string) => fs.symlinkSync(path.join(path.dirname(file), 'other'), file)],
] as const) {
  test(`${what} in the place of the holder's name does no harm`, (t) => {
    const dir = tempState(t);
    fs.mkdirSync(dir);
    fs.writeFileSync(path.join(dir, 'other'), 'mine');
    make(path.join(dir, 'lock.holder'));
    const lock = StateLock.acquire(dir);
    t.after(() => lock.release());
    assert.match(refusal(dir).message, /is in use by (another process|process \d+ on .*)$/);
    assert.equal(fs.readFileSync(path.join(dir, 'other'), 'utf8'), 'mine');
  });
}

test('whatever stands where the name of the holder should be, the refusal is one short line', (t) => {
  const dir = tempState(t);
  const lock = StateLock.acquire(dir);
  t.after(() => lock.release());
  fs.writeFileSync(path.join(dir, 'lock.holder'), `me\u001b[31m\nauditail: all is well${'x'.repeat(1_000_000)}`);
  const { message } = refusal(dir);
  assert.doesNotMatch(message, /[^\x20-\x7e]/);
  assert.ok(message.length < 400, message.slice(0, 500));
});
