import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, write, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AuditEvents } from '../../bench/audit-events.ts';
import { noTmux, TmuxTerminal } from '../helpers/tmux-terminal.ts';
import { MAIN, withoutReader } from './cli-process.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-dry-run-'));
after(() => rmSync(directory, { recursive: true }));

const LOG = `${[...new AuditEvents({ count: 500 })].join('\n')}\n`;
const log = path.join(directory, 'audit.log');
writeFileSync(log, LOG);

const BAR = /[█░]{30} \d+% {2}[0-9.]+ \S+ of [0-9.]+ \S+, [0-9.]+ \S+\/s/;

const noFifo = spawnSync('mkfifo', ['--version']).status === 0 ? false : 'mkfifo is not installed';

function command(...args: string[]): string {
  return [process.execPath, MAIN, 'dry-run', ...args].map((word) => `'${word}'`).join(' ');
}

/** A pipe with a name, open at both ends, so that nobody waits for the other. Closing it ends its reader. */
function makeFifo(name: string): { path: string; descriptor: number } {
  const fifo = path.join(directory, name);
  execFileSync('mkfifo', [fifo]);
  return { path: fifo, descriptor: openSync(fifo, 'r+') };
}

test('on a terminal the progress is shown, and is gone at the end', { skip: noTmux || noFifo }, async () => {
  using screen = new TmuxTerminal();
  const fifo = makeFifo('bar.fifo');
  screen.type(`clear; ${command(fifo.path)}; echo "done with $?"`);
  writeSync(fifo.descriptor, LOG.slice(0, 50_000));
  await screen.until(/^48\.8 KiB, [0-9.]+ \S+\/s$/m);
  closeSync(fifo.descriptor);
  const text = await screen.until(/^done with 0$/m);
  assert.doesNotMatch(text, /\/s$/m);
  assert.match(text, /^tag +events +bytes/m);
});

test('Ctrl-C ends it at once with 130 and clears the bar', { skip: noTmux }, async () => {
  // Gigabytes that take some megabytes: it is not done before the key is pressed.
  const member = gzipSync(`{"pad":"${'x'.repeat(1000)}"}\n`.repeat(2000));
  const large = path.join(directory, 'large.gz');
  writeFileSync(large, Buffer.concat(new Array<Buffer>(4000).fill(member)));
  using screen = new TmuxTerminal();
  screen.type(`clear; ${command(large)}`);
  await screen.until(BAR);
  screen.press('C-c');
  // It dies by the signal, so that the shell stops whatever it was to do next.
  const text = await screen.until(/^\$ *$/m);
  assert.doesNotMatch(text, BAR);
  assert.doesNotMatch(text, /^read /m);
  screen.type('echo "done with $?"');
  await screen.until(/^done with 130$/m);
  screen.type('stty -a | grep -o " [-]*echo " | tr -d " "');
  await screen.until(/^echo$/m);
});

test('an interrupt ends it also while it waits for a pipe', { skip: noFifo }, async () => {
  const fifo = makeFifo('waiting.fifo');
  const child = spawn(process.execPath, [MAIN, 'dry-run', fifo.path], { stdio: 'ignore' });
  const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const pipe = new Promise<void>((resolve, reject) => {
    // More than a pipe holds: when it is written, the reader is at work and soon waits for more.
    write(fifo.descriptor, Buffer.alloc(200_000, '\n'), (error) => (error === null ? resolve() : reject(error)));
  });
  await Promise.race([pipe, ended]);
  child.kill('SIGINT');
  assert.equal(await ended, 'SIGINT');
  closeSync(fifo.descriptor);
});

test('a reader that goes away ends it quietly', async () => {
  assert.deepEqual(await withoutReader(['dry-run', log]), { code: 0, stderr: '' });
});
