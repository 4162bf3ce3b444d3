import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type LogIo, LogStream } from '../../src/telemetry/log-stream.ts';

/** A descriptor that answers each write as the test says: bytes that it takes, or an error. */
class FakeIo implements LogIo {
  text = '';
  #pending: { bytes: Buffer; done: (error: Error | null, written: number) => void } | undefined;

  write(_fd: number, bytes: Buffer, done: (error: Error | null, written: number) => void): void {
    assert.equal(this.#pending, undefined, 'one write at a time');
    this.#pending = { bytes, done };
  }

  writeSync(_fd: number, bytes: Buffer): number {
    // Short writes are legal.
    const taken = Math.ceil(bytes.length / 2);
    this.text += bytes.toString('utf8', 0, taken);
    return taken;
  }

  get isWriting(): boolean {
    return this.#pending !== undefined;
  }

  answer(answer: 'all' | number | { code: string }): void {
    const { bytes, done } = this.#pending!;
    this.#pending = undefined;
    if (typeof answer === 'object') {
      done(Object.assign(new Error(answer.code), answer), 0);
      return;
    }
    const taken = answer === 'all' ? bytes.length : answer;
    this.text += bytes.toString('utf8', 0, taken);
    done(null, taken);
  }
}

function stream(): { io: FakeIo; log: LogStream } {
  const io = new FakeIo();
  return { io, log: new LogStream(2, io) };
}

test('lines come in order, those that wait in one write', () => {
  const { io, log } = stream();
  for (const line of ['one\n', 'two\n', 'thrée\n']) log.write(line);
  io.answer('all');
  assert.equal(io.text, 'one\n');
  io.answer('all');
  assert.equal(io.text, 'one\ntwo\nthrée\n');
  assert.equal(io.isWriting, false);
});

test('a short write is continued', () => {
  const { io, log } = stream();
  log.write('123456\n');
  io.answer(3);
  io.answer('all');
  assert.equal(io.text, '123456\n');
});

test('what a full disk does not take is dropped, and a later line begins on a line of its own', () => {
  const { io, log } = stream();
  log.write('lost\n');
  io.answer({ code: 'ENOSPC' });
  assert.equal(io.isWriting, false);
  log.write('torn in the middle\n');
  io.answer(4);
  io.answer({ code: 'ENOSPC' });
  log.write('later\n');
  io.answer('all');
  log.write('and later\n');
  io.answer('all');
  assert.equal(io.text, 'torn\nlater\nand later\n');
});

test('a full pipe is tried again', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { io, log } = stream();
  log.write('one\n');
  io.answer({ code: 'EAGAIN' });
  log.write('two\n');
  assert.equal(io.isWriting, false);
  t.mock.timers.tick(100);
  io.answer('all');
  io.answer('all');
  assert.equal(io.text, 'one\ntwo\n');
});

test('lines that wait for a stalled reader have a limit', () => {
  const { io, log } = stream();
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 5000; n += 1) log.write(line);
  while (io.isWriting) io.answer('all');
  // One on its way, and the limit.
  assert.equal(io.text.length, 1024 + 1024 * 1024);
});

test('the end of the process takes what waits with it, once', () => {
  const { io, log } = stream();
  log.write('on its way\n');
  log.write('two\n');
  log.write('three\n');
  log.flushSync();
  assert.equal(io.text, 'two\nthree\n');
  log.flushSync();
  assert.equal(io.text, 'two\nthree\n');
});

test('the end of the process takes what a full pipe did not take before, once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { io, log } = stream();
  log.write('one\n');
  io.answer({ code: 'EAGAIN' });
  log.write('two\n');
  log.flushSync();
  log.flushSync();
  t.mock.timers.tick(100);
  assert.equal(io.isWriting, false);
  assert.equal(io.text, 'one\ntwo\n');
});

test('the end of the process waits for no reader that stalls, and survives one that is gone', (t) => {
  const { io, log } = stream();
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  log.write('stalled\n');
  log.write('waits\n');
  now = 1001;
  log.flushSync();
  assert.equal(io.text, '');

  const gone = stream();
  t.mock.method(gone.io, 'writeSync', () => {
    throw Object.assign(new Error('EPIPE'), { code: 'EPIPE' });
  });
  gone.log.write('one\n');
  gone.log.write('two\n');
  gone.log.flushSync();
  assert.equal(gone.io.text, '');
});

test('writes to a real descriptor', async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'log');
  const fd = openSync(file, 'w');
  const log = new LogStream(fd);
  log.write('one\n');
  log.write('two\n');
  while (readFileSync(file, 'utf8') !== 'one\ntwo\n') await turn();
  closeSync(fd);
});
