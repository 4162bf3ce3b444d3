import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Hint } from '../../src/source/directory-watch.ts';
import { DirectoryWatcher } from '../../src/source/watcher.ts';

/** A watcher of a new directory, with the hints that it gave. */
async function watched(t: TestContext, directories: (dir: string) => string[] = (dir) => [dir]) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-watcher-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const hints: Hint[] = [];
  const errors: unknown[] = [];
  const watcher = new DirectoryWatcher(
    (hint) => hints.push(hint),
    (error) => errors.push(error),
  );
  t.after(() => watcher.close());
  fs.writeFileSync(path.join(dir, 'audit.log'), 'first\n');
  await watcher.watch(directories(dir));
  return { dir, log: path.join(dir, 'audit.log'), hints, errors, watcher };
}

/**
 * Does something again and again until there is a hint of it: nobody says when a watch has begun. `undo` makes it
 * possible to do it again.
 */
async function until(hints: Hint[], wanted: Hint, act: (nth: number) => void): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (let nth = 0; Date.now() < deadline; nth += 1) {
    hints.length = 0;
    act(nth);
    for (let waited = 0; waited < 10; waited += 1) {
      await delay(20);
      if (hints.includes(wanted)) return;
    }
  }
  assert.fail(`no hint of ${wanted}`);
}

test('writing, creating, renaming and deleting give hints', async (t) => {
  const { dir, log, hints, errors } = await watched(t);
  await until(hints, 'content', () => fs.appendFileSync(log, 'more\n'));
  await until(hints, 'names', (nth) => fs.writeFileSync(path.join(dir, `new-${nth}.log`), ''));
  await until(hints, 'names', (nth) => {
    fs.renameSync(log, path.join(dir, `audit.log.${nth + 1}`));
    fs.writeFileSync(log, '');
  });
  await until(hints, 'names', (nth) => {
    if (nth % 2 === 0) fs.rmSync(log);
    else fs.writeFileSync(log, '');
  });
  assert.deepEqual(errors, []);
});

test('a directory that is watched later gives hints too, and twice is once', async (t) => {
  const { dir, hints, watcher } = await watched(t, () => []);
  const later = path.join(dir, 'later');
  fs.mkdirSync(later);
  await watcher.watch([later]);
  await watcher.watch([later, later]);
  await until(hints, 'names', (nth) => fs.writeFileSync(path.join(later, `${nth}.log`), ''));
});

test('a directory that does not exist yet gives a hint when it comes', async (t) => {
  const { dir, hints, errors } = await watched(t, (parent) => [path.join(parent, 'coming')]);
  const coming = path.join(dir, 'coming');
  await until(hints, 'names', (nth) => {
    if (nth % 2 === 0) fs.mkdirSync(coming);
    else fs.rmdirSync(coming);
  });
  assert.deepEqual(errors, []);
});

test('a directory that another one took the place of gives hints after the next look', async (t) => {
  const { dir, hints, errors, watcher } = await watched(t, () => []);
  const logs = path.join(dir, 'logs');
  fs.mkdirSync(logs);
  await watcher.watch([logs]);
  await until(hints, 'content', () => fs.appendFileSync(path.join(logs, 'audit.log'), 'of the first\n'));
  await until(hints, 'names', (nth) => {
    fs.renameSync(logs, path.join(dir, `moved-${nth}`));
    fs.mkdirSync(logs);
    fs.writeFileSync(path.join(logs, 'audit.log'), '');
  });
  await watcher.watch([logs]);
  await until(hints, 'content', () => fs.appendFileSync(path.join(logs, 'audit.log'), 'of the second\n'));
  assert.deepEqual(errors, []);
});

test('a directory that was deleted and made anew gives hints, though it has the same inode', async (t) => {
  const { dir, hints, errors, watcher } = await watched(t, () => []);
  const logs = path.join(dir, 'logs');
  fs.mkdirSync(logs);
  await watcher.watch([logs]);
  await until(hints, 'content', () => fs.appendFileSync(path.join(logs, 'audit.log'), 'of the first\n'));
  const { ino } = fs.statSync(logs);
  let tries = 0;
  do {
    fs.rmSync(logs, { recursive: true });
    fs.mkdirSync(logs);
    tries += 1;
  } while (fs.statSync(logs).ino !== ino && tries < 100);
  if (fs.statSync(logs).ino !== ino) return t.skip('this file system gives an inode number once');
  fs.writeFileSync(path.join(logs, 'audit.log'), '');
  // The loss of the watched directory is a hint itself, and asks for the next look.
  await delay(50);
  await watcher.watch([logs]);
  await until(hints, 'content', () => fs.appendFileSync(path.join(logs, 'audit.log'), 'of the second\n'));
  assert.deepEqual(errors, []);
});

test('rotated parts give no hints', async (t) => {
  const { dir, log, hints } = await watched(t);
  await until(hints, 'content', () => fs.appendFileSync(log, 'more\n'));
  await delay(500);
  hints.length = 0;
  const part = path.join(dir, 'audit-2026-11-20T15-04-05.000.log.gz');
  fs.writeFileSync(part, 'compressed');
  fs.appendFileSync(part, 'and more');
  fs.rmSync(part);
  await delay(500);
  assert.deepEqual(hints, []);
});

test('a log that grows by many writes gives few hints, and one after the last write', async (t) => {
  const { log, hints } = await watched(t);
  await until(hints, 'content', () => fs.appendFileSync(log, 'more\n'));
  await delay(500);
  hints.length = 0;
  const begun = performance.now();
  for (let nth = 0; nth < 200; nth += 1) {
    fs.appendFileSync(log, `${nth}\n`);
    await delay(2);
  }
  const before = hints.length;
  const atMost = Math.ceil((performance.now() - begun) / 100) + 1;
  assert.ok(before >= 2 && before <= atMost, `${before} hints, at most ${atMost}`);
  fs.appendFileSync(log, 'last\n');
  await delay(500);
  assert.ok(hints.length > before, 'a hint after the last write');
});

/** How many directories this process watches, as the kernel says. */
function watchedByKernel(): number {
  let watched = 0;
  for (const fd of fs.readdirSync('/proc/self/fdinfo')) {
    try {
      const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
      watched += info.match(/^inotify wd:/gm)?.length ?? 0;
    } catch {
      // It was that of reading the directory.
    }
  }
  return watched;
}

/** Writes until the watch rests. */
async function untilAtRest(log: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (watchedByKernel() > 0) {
    assert.ok(Date.now() < deadline, 'it is watched all the time');
    fs.appendFileSync(log, 'more\n');
    await delay(1);
  }
}

const notLinux = process.platform === 'linux' ? false : 'looks at inotify';

test('nothing wakes the loop for what the next hint tells anyway', { skip: notLinux }, async (t) => {
  const { log, hints } = await watched(t);
  await until(hints, 'content', () => fs.appendFileSync(log, 'more\n'));
  await untilAtRest(log);
  fs.appendFileSync(log, 'unseen\n');
  hints.length = 0;
  await delay(500);
  assert.ok(hints.includes('content'), 'what was written at rest');
  assert.equal(watchedByKernel(), 1);
  hints.length = 0;
  await until(hints, 'content', () => fs.appendFileSync(log, 'seen\n'));
});

test('what came and went while a watch rested gives a hint when it goes on', { skip: notLinux }, async (t) => {
  const { dir, log, hints } = await watched(t);
  await until(hints, 'content', () => fs.appendFileSync(log, 'more\n'));
  await delay(500);
  await untilAtRest(log);
  hints.length = 0;
  fs.renameSync(log, path.join(dir, 'audit-2026-11-20T15-04-05.000.log'));
  fs.writeFileSync(log, 'of the next file\n');
  await delay(500);
  assert.ok(hints.includes('names'), `${hints}`);
});

test('a directory that goes while its watch rests gives a hint, and no error', { skip: notLinux }, async (t) => {
  const { dir, hints, errors, watcher } = await watched(t, () => []);
  const logs = path.join(dir, 'logs');
  fs.mkdirSync(logs);
  await watcher.watch([logs]);
  const log = path.join(logs, 'audit.log');
  await until(hints, 'content', () => fs.appendFileSync(log, 'more\n'));
  await delay(500);
  await untilAtRest(log);
  hints.length = 0;
  fs.rmSync(logs, { recursive: true });
  await delay(500);
  assert.ok(hints.includes('names'), `${hints}`);
  await watcher.watch([logs]);
  await until(hints, 'names', (nth) => {
    if (nth % 2 === 0) fs.mkdirSync(logs);
    else fs.rmdirSync(logs);
  });
  assert.deepEqual(errors, []);
});

test('after it was closed there are no hints, and closing again does no harm', async (t) => {
  const { log, hints, watcher } = await watched(t);
  await until(hints, 'content', () => fs.appendFileSync(log, 'more\n'));
  watcher.close();
  watcher.close();
  hints.length = 0;
  fs.appendFileSync(log, 'unseen\n');
  await delay(200);
  assert.deepEqual(hints, []);
});
