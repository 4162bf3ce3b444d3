/** The library that stands between a program and the kernel's file calls, under a Node of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultControl } from '../../torture/fault-control.ts';
import { endWithParent, removeNow, removeWithParent } from '../helpers/children.ts';
import { whyNoFaults } from './why-no-faults.ts';

/** Evaluates each line of its input, and prints the value or the error's code as JSON. */
const CHILD = `
const fs = require('node:fs');
require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  let answer;
  try { answer = await eval(line); } catch (error) { answer = error.code; }
  process.stdout.write(JSON.stringify(answer ?? null) + '\\n');
});`;

const HOUR_MS = 3_600_000;

class Scene implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'auditail-faults-'));
  readonly faults: FaultControl;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  constructor() {
    removeWithParent(this.root);
    for (const name of ['bad', 'good']) mkdirSync(join(this.root, name));
    this.faults = new FaultControl(join(this.root, 'control'), { bad: this.path('bad'), good: this.path('good') });
    this.#child = spawn(process.execPath, ['-e', CHILD], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...this.faults.env },
    });
    endWithParent(this.#child);
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  async do(expression: string): Promise<unknown> {
    this.#child.stdin!.write(`${expression}\n`);
    return JSON.parse((await this.#answers.next()).value as string);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    await once(this.#child, 'close');
    this.faults.close();
    removeNow(this.root);
  }
}

describe('faults of file calls', { skip: whyNoFaults() }, () => {
  test('an error, in one directory, for as long as it is on, in sync and async calls', async () => {
    await using scene = new Scene();
    const write = (name: string) => scene.do(`fs.writeFileSync(${JSON.stringify(scene.path(name, 'file'))}, 'text')`);
    const writeLater = () => scene.do(`fs.promises.writeFile(${JSON.stringify(scene.path('bad', 'file'))}, 'text')`);
    assert.equal(await write('bad'), null);
    const rule = scene.faults.on({ calls: ['write'], directories: ['bad'], every: 1, error: 'ENOSPC' });
    assert.equal(await write('bad'), 'ENOSPC');
    assert.equal(await writeLater(), 'ENOSPC');
    assert.equal(await write('good'), null);
    assert.equal(scene.faults.off(rule), 2);
    assert.equal(await write('bad'), null);
    assert.equal(await writeLater(), null);
  });

  test('each n-th call', async () => {
    await using scene = new Scene();
    const rule = scene.faults.on({ calls: ['create'], directories: ['bad'], every: 3, error: 'EROFS' });
    const answers: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      answers.push(await scene.do(`fs.writeFileSync(${JSON.stringify(scene.path('bad', `${i}`))}, 'text')`));
    }
    assert.deepEqual(answers, [null, null, 'EROFS', null, null, 'EROFS']);
    assert.equal(scene.faults.off(rule), 2);
  });

  test('short reads and writes', async () => {
    await using scene = new Scene();
    const file = scene.path('bad', 'file');
    writeFileSync(file, 'ten bytes.');
    const rule = scene.faults.on({ calls: ['read', 'write'], directories: ['bad'], every: 1, halve: true });
    const open = (flags: string) => `fs.openSync(${JSON.stringify(file)}, '${flags}')`;
    assert.equal(await scene.do(`fs.readSync(${open('r')}, Buffer.alloc(10))`), 5);
    // libuv goes on until all is written: 5 bytes, then 2, 1, 1 and 1.
    assert.equal(await scene.do(`fs.writeSync(${open('w')}, Buffer.from('0123456789'))`), 10);
    assert.equal(readFileSync(file, 'utf8'), '0123456789');
    assert.equal(scene.faults.off(rule), 6);
  });

  test('syncs, truncation, unlinking and opening', async () => {
    await using scene = new Scene();
    const file = JSON.stringify(scene.path('bad', 'file'));
    await scene.do(`globalThis.fd = fs.openSync(${file}, 'w')`);
    for (const [call, expression] of [
      ['sync', 'fs.fsyncSync(fd)'],
      ['sync', 'fs.fdatasyncSync(fd)'],
      ['truncate', 'fs.ftruncateSync(fd, 0)'],
      ['unlink', `fs.unlinkSync(${file})`],
      ['open', `fs.openSync(${file}, 'r')`],
    ] as const) {
      const rule = scene.faults.on({ calls: [call], directories: ['bad'], every: 1, error: 'EIO' });
      assert.equal(await scene.do(expression), 'EIO', expression);
      assert.equal(scene.faults.off(rule), 1, expression);
    }
  });

  test('a pause', async () => {
    await using scene = new Scene();
    scene.faults.on({ calls: ['sync'], directories: ['bad'], every: 1, pauseMs: 200 });
    const file = JSON.stringify(scene.path('bad', 'file'));
    const took = await scene.do(
      `(() => { const fd = fs.openSync(${file}, 'w'); const t = performance.now(); fs.fsyncSync(fd); return performance.now() - t; })()`,
    );
    assert.ok(Number(took) >= 200, `${took} ms`);
  });

  test('the clock, and no other one', async () => {
    await using scene = new Scene();
    const elapsed = Number(await scene.do('performance.now()'));
    for (const step of [HOUR_MS, -HOUR_MS]) {
      scene.faults.setClock(step);
      const ahead = Number(await scene.do('Date.now()')) - Date.now();
      assert.ok(Math.abs(ahead - step) < 60_000, `${ahead} ms ahead`);
    }
    // The time of a file is that of the clock when it was written.
    const modified = (name: string) => scene.do(`fs.statSync(${JSON.stringify(scene.path(name))}).mtimeMs`);
    const before = Number(await modified('bad'));
    assert.ok(Math.abs(before - Date.now()) < 60_000, `${before}`);
    // The kernel takes the times of files from its last tick.
    await sleep(20);
    writeFileSync(scene.path('good', 'file'), 'later');
    const after = Number(await modified('good/file'));
    assert.ok(Math.abs(after + HOUR_MS - Date.now()) < 60_000, `${after}`);
    const passed = Number(await scene.do('performance.now()')) - elapsed;
    assert.ok(passed >= 0 && passed < 60_000, `${passed} ms passed`);
  });
});
