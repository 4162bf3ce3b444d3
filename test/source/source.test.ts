import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SourceHarness } from './source-harness.ts';
import { assertAll, gzip, Log, lines, withLog } from './written-log.ts';

test('lines are taken once as the log grows, and a line without an end waits', () =>
  withLog(async (harness, log) => {
    log.write(lines(3));
    fs.appendFileSync(log.path, '{"t":1,');
    await harness.read();
    assert.deepEqual(harness.taken, log.written);
    fs.appendFileSync(log.path, '"x":2}\n');
    await harness.read();
    assert.deepEqual(harness.taken, [...log.written, '{"t":1,"x":2}']);
  }));

test('a crash repeats only what was not committed', () =>
  withLog(async (harness, log) => {
    log.write(lines(100));
    await harness.read();
    await harness.commit();
    log.write(lines(100));
    await harness.read();
    await harness.crash();
    harness.start();
    await harness.read();
    assert.deepEqual(harness.taken, log.written);
  }));

test('rotations while the agent is down are read oldest first', () =>
  withLog(async (harness, log) => {
    log.write(lines(10));
    await harness.read();
    await harness.stop();
    for (let n = 0; n < 5; n += 1) {
      log.write(lines(10));
      const backup = log.rotate();
      if (n % 2 === 0) gzip(backup);
      log.write(lines(10));
    }
    harness.start();
    await harness.settle();
    assert.deepEqual(harness.taken, log.written);
    assert.deepEqual(harness.gaps(), []);
  }));

test('a renamed, gzipped and deleted segment is read to its end while the agent runs', () =>
  withLog(async (harness, log) => {
    log.write(lines(10));
    await harness.read();
    log.write(lines(10));
    fs.rmSync(gzip(log.rotate()));
    log.write(lines(10));
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(harness.gaps(), []);
  }));

test('a gzip beside its original, and one that is half written, are not read', () =>
  withLog(async (harness, log) => {
    log.write(lines(2000));
    const backup = log.rotate();
    log.write(lines(5));
    const whole = gzipSync(fs.readFileSync(backup));
    fs.writeFileSync(`${backup}.gz`, whole.subarray(0, whole.length / 2));
    await harness.settle();
    assertAll(harness, log.written);
    fs.writeFileSync(`${backup}.gz`, whole);
    fs.rmSync(backup);
    await harness.settle();
    await harness.stop();
    harness.start();
    await harness.settle();
    assertAll(harness, log.written);
  }));

test('a damaged gzip part gives what inflates, and a gap', () =>
  withLog(async (harness, log) => {
    log.write(lines(50_000, 10));
    const backup = log.rotate();
    const whole = gzipSync(fs.readFileSync(backup));
    fs.rmSync(backup);
    fs.writeFileSync(`${backup}.gz`, whole.subarray(0, whole.length / 2));
    await harness.settle();
    harness.pass(10_000);
    await harness.settle();
    assert.ok(harness.taken.length > 10_000, `${harness.taken.length} lines`);
    assert.deepEqual(harness.taken.slice(0, 10_000), log.written.slice(0, 10_000));
    const gaps = harness.gaps();
    assert.equal(gaps.length, 1);
    assert.match(gaps[0]!.reason, /damaged/);
  }));

for (const agent of ['running', 'down'] as const) {
  test(`copytruncate while the agent is ${agent}`, () =>
    withLog(async (harness, log) => {
      log.write(lines(10));
      await harness.read();
      if (agent === 'down') await harness.stop();
      log.write(lines(10));
      log.copytruncate();
      log.write(lines(3));
      if (agent === 'down') {
        log.copytruncate();
        log.write(lines(30));
        harness.start();
      }
      await harness.settle();
      assertAll(harness, log.written);
      assert.deepEqual(harness.gaps(), []);
    }));
}

test('the copy of copytruncate is left alone while the original stands', () =>
  withLog(async (harness, log) => {
    log.write(lines(10));
    await harness.read();
    fs.copyFileSync(log.path, `${log.path}.1`);
    await harness.settle();
    assertAll(harness, log.written);
    log.write(lines(2));
    await harness.settle();
    assertAll(harness, log.written);
  }));

test('a truncation without a copy is a gap when bytes were seen and unread', () =>
  withLog(async (harness, log) => {
    log.write(lines(10));
    await harness.read();
    await harness.commit();
    log.write(lines(10));
    await harness.source.sweep();
    fs.truncateSync(log.path, 0);
    const later = lines(5);
    fs.appendFileSync(log.path, later.map((line) => `${line}\n`).join(''));
    await harness.settle();
    assertAll(harness, [...log.written.slice(0, 10), ...later]);
    const [gap] = harness.gaps();
    assert.equal(gap?.startOffset, log.written.slice(0, 10).join('\n').length + 1);
    assert.equal(gap?.endOffset, log.written.join('\n').length + 1);
    assert.equal(gap?.beforeTime, undefined);
  }));

test('a truncation by a writer without O_APPEND leaves NULs, which are skipped', () =>
  withLog(async (harness, log) => {
    log.write(lines(100));
    await harness.read();
    await harness.commit();
    const size = fs.statSync(log.path).size;
    fs.copyFileSync(log.path, `${log.path}.1`);
    fs.truncateSync(log.path, 0);
    const later = lines(5);
    const handle = fs.openSync(log.path, 'r+');
    fs.writeSync(handle, later.map((line) => `${line}\n`).join(''), size);
    fs.closeSync(handle);
    await harness.settle();
    assertAll(harness, [...log.written, ...later]);
    assert.equal(harness.nulls, size);
  }));

test('a reused inode is another segment', () =>
  withLog(async (harness, log) => {
    log.write(lines(50));
    await harness.read();
    await harness.stop();
    const { ino } = fs.statSync(log.path);
    const held: string[] = [];
    fs.rmSync(log.path);
    // The file system gives the freed inode away again sooner or later.
    for (let n = 0; n < 200 && !held.some((file) => fs.statSync(file).ino === ino); n += 1) {
      held.push(path.join(harness.dir, `other-${n}`));
      fs.writeFileSync(held.at(-1)!, '');
    }
    const reused = held.find((file) => fs.statSync(file).ino === ino);
    if (reused !== undefined) fs.renameSync(reused, log.path);
    const later = lines(60);
    fs.writeFileSync(log.path, later.map((line) => `${line}\n`).join(''));
    harness.start();
    await harness.settle();
    assertAll(harness, [...log.written, ...later]);
    assert.equal(harness.gaps().length, 1);
    assert.equal(harness.gaps()[0]!.endOffset, undefined);
  }));

test('read_from tail begins at the end of what is there, and later rotations at their head', () =>
  withLog(
    async (harness, log) => {
      log.write(lines(10));
      log.rotate();
      log.write(lines(10));
      await harness.read();
      assert.deepEqual(harness.taken, []);
      const later = lines(10);
      log.write(later);
      log.rotate();
      const last = lines(10);
      log.write(last);
      await harness.settle();
      assert.deepEqual(harness.taken, [...later, ...last]);
      await harness.stop();
      harness.start();
      await harness.settle();
      assert.deepEqual(harness.taken, [...later, ...last]);
    },
    { readFrom: 'tail' },
  ));

test('a deleted backup that was not read is a gap with an unknown end', () =>
  withLog(async (harness, log) => {
    log.write(lines(10));
    await harness.read();
    await harness.stop();
    log.write(lines(10));
    fs.rmSync(log.rotate());
    const later = lines(4);
    log.write(later);
    harness.start();
    await harness.settle();
    assertAll(harness, [...log.written.slice(0, 10), ...later]);
    const gaps = harness.gaps();
    assert.equal(gaps.length, 1);
    assert.deepEqual([gaps[0]!.endOffset, gaps[0]!.afterTime], [undefined, JSON.parse(later[0]!).t]);
    await harness.stop();
    harness.start();
    await harness.settle();
    assert.equal(harness.gaps().length, 1);
  }));

test('held bytes of deleted files are bounded, and what is let go is a gap', () =>
  withLog(
    async (harness, log) => {
      log.write(lines(10));
      await harness.source.sweep();
      fs.rmSync(log.rotate());
      log.write(lines(5));
      await harness.source.sweep();
      await harness.settle();
      assertAll(harness, log.written.slice(10));
      assert.equal(harness.gaps().length, 1);
      assert.match(harness.gaps()[0]!.reason, /held_bytes/);
    },
    { heldBytes: 100 },
  ));

test('a last line without newline is taken when its segment is finished', () =>
  withLog(async (harness, log) => {
    log.write(lines(3));
    fs.appendFileSync(log.path, '{"t":7,"last":true}');
    log.rotate();
    log.write(lines(1));
    await harness.settle();
    assertAll(harness, [...log.written, '{"t":7,"last":true}']);
  }));

test('a rotated segment that grows after all is read on', () =>
  withLog(async (harness, log) => {
    log.write(lines(3));
    const backup = log.rotate();
    log.write(lines(3));
    await harness.settle();
    const late = lines(2);
    fs.appendFileSync(backup, late.map((line) => `${line}\n`).join(''));
    await harness.settle();
    assertAll(harness, [...log.written, ...late]);
  }));

test('the live file is deleted while its writer goes on', () =>
  withLog(async (harness, log) => {
    log.write(lines(3));
    await harness.read();
    const handle = fs.openSync(log.path, 'a');
    fs.rmSync(log.path);
    const late = lines(3);
    for (const line of late) {
      fs.writeSync(handle, `${line}\n`);
      await harness.settle();
    }
    fs.closeSync(handle);
    const later = lines(3);
    fs.writeFileSync(log.path, later.map((line) => `${line}\n`).join(''));
    await harness.settle();
    assertAll(harness, [...log.written, ...late, ...later]);
    assert.deepEqual(harness.gaps(), []);
  }));

test('lines longer than the limit come in pieces, and lines longer than a chunk whole', () =>
  withLog(
    async (harness, log) => {
      log.write([
        ...lines(2),
        ...lines(1, 3_000_000),
        ...lines(2),
        ...lines(1, 9_000_000),
        ...lines(1, 1_100_000),
        ...lines(2),
      ]);
      await harness.read();
      assert.deepEqual(harness.taken, log.written);
      await harness.stop();
      harness.start();
      log.write(lines(2));
      await harness.read();
      assert.deepEqual(harness.taken, log.written);
    },
    { maxLineBytes: 4_000_000 },
  ));

test('a limit below the size of a chunk holds too', () =>
  withLog(
    async (harness, log) => {
      log.write([...lines(2), ...lines(1, 5_000), ...lines(2), ...lines(1, 300_000), ...lines(1, 6_000), ...lines(2)]);
      fs.appendFileSync(log.path, Buffer.concat([Buffer.alloc(10), Buffer.from(`${lines(1, 7_000)[0]}\n`)]));
      await harness.read();
      assert.equal(harness.taken.length, 10);
      assertAll(harness, [...log.written, fs.readFileSync(log.path, 'latin1').split('\0').at(-1)!.trimEnd()]);
      assert.equal(harness.longLines, 4);
    },
    { maxLineBytes: 4096 },
  ));

test('a directory holds a stream for each live file; rotated parts, copies and other files are none', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-directory-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  await using many = new SourceHarness({ path: dir });
  const a = new Log(path.join(dir, 'a.log'));
  const b = new Log(path.join(dir, 'b.log'));
  a.write(lines(5));
  b.write(lines(5));
  a.rotate();
  a.write(lines(2));
  fs.writeFileSync(path.join(dir, 'a.log.pos'), 'path\t0000\n');
  fs.copyFileSync(b.path, path.join(dir, 'b.log.bak'));
  await many.settle();
  assertAll(many, [...a.written, ...b.written]);
  assert.deepEqual([...many.source.known.streams.keys()].toSorted(), [a.path, b.path]);
});

test('a glob and a symlink find the same streams', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-glob-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const log = new Log(path.join(dir, 'target', 'audit.log'));
  log.write(lines(5));
  log.rotate();
  log.write(lines(2));
  fs.symlinkSync(log.path, path.join(dir, 'link.log'));
  await using linked = new SourceHarness({ path: path.join(dir, 'link.log') });
  await linked.settle();
  assertAll(linked, log.written);
  await using globbed = new SourceHarness({ path: path.join(dir, 'target', '*.log') });
  await globbed.settle();
  assertAll(globbed, log.written);
});

test('an unreadable log is told, and read when it becomes readable', (t) => {
  if (process.getuid?.() === 0) {
    t.skip('root reads everything');
    return;
  }
  return withLog(async (harness, log) => {
    log.write(lines(3));
    fs.chmodSync(log.path, 0);
    await harness.read();
    assert.deepEqual([...harness.source.troubles.unreadable], [log.path]);
    fs.chmodSync(log.path, 0o600);
    await harness.read();
    assert.deepEqual(harness.taken, log.written);
  });
});

test('a FIFO in the place of the log does not stop the agent', () =>
  withLog(async (harness, log) => {
    execFileSync('mkfifo', [log.path]);
    await harness.read();
    fs.rmSync(log.path);
    log.write(lines(2));
    await harness.read();
    assert.deepEqual(harness.taken, log.written);
  }));

test('more segments than are held open at once are read one after the other', () =>
  withLog(async (harness, log) => {
    for (let n = 0; n < 1100; n += 1) {
      log.write(lines(1));
      log.rotate();
    }
    log.write(lines(1));
    await harness.read();
    assert.equal(harness.source.isDrained, false);
    await harness.settle();
    await harness.settle();
    assertAll(harness, log.written);
    assert.equal(harness.source.isDrained, true);
  }));
