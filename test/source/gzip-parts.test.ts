import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FileCalls } from './file-calls.ts';
import { assertAll, gzip, lines, withLog } from './written-log.ts';

/** So that little of a first line inflates from the start of its gzip part. */
const NOISE = Array.from({ length: 3000 }, (_, n) => Math.sin(n).toString(36).slice(4)).join('');

for (const [what, content] of [
  ['nothing', gzipSync('')],
  ['NUL bytes', gzipSync(Buffer.alloc(5000))],
] as const) {
  test(`a gzip part that holds ${what} is not waited for`, () =>
    withLog(async (harness, log) => {
      log.write(lines(3));
      fs.writeFileSync(`${log.path}.1.gz`, content);
      await harness.read();
      assert.equal(harness.source.isDrained, false);
      await harness.settle();
      assert.equal(harness.source.isDrained, true);
      assert.deepEqual([...harness.source.troubles.unreadable], []);
      assertAll(harness, log.written);
      assert.deepEqual(harness.gaps(), []);
    }));
}

test('a gzip part that stays broken and gives nothing is called unreadable, and not waited for', () =>
  withLog(async (harness, log) => {
    log.write(lines(3));
    fs.writeFileSync(`${log.path}.1.gz`, gzipSync('').subarray(0, 10));
    await harness.settle();
    assert.equal(harness.source.isDrained, true);
    assert.deepEqual([...harness.source.troubles.unreadable], [`${log.path}.1.gz`]);
    assertAll(harness, log.written);
  }));

for (const bytes of [0, 10, 600, 1500, 3500]) {
  test(`a compression that stopped after ${bytes} bytes beside its original is not read`, () =>
    withLog(async (harness, log) => {
      log.write([`{"t":1,"noise":"${NOISE}"}`, ...lines(20)]);
      const backup = log.rotate();
      const whole = gzipSync(fs.readFileSync(backup));
      assert.ok(whole.length > 5000);
      fs.writeFileSync(`${backup}.gz`, whole.subarray(0, bytes));
      log.write(lines(5));
      for (let round = 0; round < 3; round += 1) {
        await harness.settle();
        assertAll(harness, log.written);
        assert.equal(harness.source.isDrained, true);
        assert.deepEqual([harness.gaps(), [...harness.source.troubles.unreadable]], [[], []]);
        await harness.stop();
        harness.start();
      }
      fs.writeFileSync(`${backup}.gz`, whole);
      fs.rmSync(backup);
      await harness.settle();
      assertAll(harness, log.written);
      assert.deepEqual(harness.gaps(), []);
    }));
}

test('the rest of a damaged part is told once, though its original was seen to be longer', { timeout: 60_000 }, () =>
  withLog(async (harness, log) => {
    log.write(lines(5000));
    await harness.read();
    log.write(lines(50_000));
    const backup = log.rotate();
    await harness.source.sweep();
    await harness.stop();
    const gz = gzip(backup);
    fs.truncateSync(gz, Math.floor(fs.statSync(gz).size / 2));
    harness.start();
    await harness.settle();
    await harness.settle();
    await harness.stop();
    harness.start();
    await harness.settle();
    assert.equal(harness.gaps().length, 1);
    assert.ok(harness.taken.length > 6000);
    assertAll(harness, [...log.written.slice(0, harness.taken.length - 1), harness.taken.at(-1)!]);
  }),
);

test('a gzip part of a segment that is still held is inflated once, and not at each look', () =>
  withLog(async (harness, log) => {
    const noise = randomBytes(1024 * 1024).toString('base64');
    log.write([`{"t":1,"noise":"${noise}"}`, ...lines(20)]);
    const backup = log.rotate();
    log.write(lines(5));
    await harness.source.sweep();
    gzip(backup);
    await harness.source.sweep();
    using calls = await FileCalls.intercept();
    let reads = 0;
    calls.before((call) => {
      if (call === 'handle.read') reads += 1;
    });
    for (let look = 0; look < 5; look += 1) await harness.source.sweep();
    // One inflation of it takes more than 16 reads of 64 KiB.
    assert.ok(reads < 5 * 16, `${reads} reads`);
    calls.before(undefined);
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(harness.gaps(), []);
  }));

test('the gzip of a part that was read is inflated once to be told, and one that is being written once a look', () =>
  withLog(async (harness, log) => {
    const noise = randomBytes(1024 * 1024).toString('base64');
    log.write([`{"t":1,"noise":"${noise}"}`, ...lines(20)]);
    await harness.read();
    const backup = log.rotate();
    log.write(lines(5));
    await harness.settle();
    const whole = gzipSync(fs.readFileSync(backup));
    using calls = await FileCalls.intercept();
    for (const part of [whole.subarray(0, whole.length / 2), whole]) {
      fs.writeFileSync(`${backup}.gz`, part);
      if (part === whole) fs.rmSync(backup);
      // By the clock of the harness, which is ahead: just written.
      const later = Date.now() / 1000 + 3600;
      fs.utimesSync(`${backup}.gz`, later, later);
      let reads = 0;
      calls.before((call) => {
        if (call === 'handle.read') reads += 1;
      });
      await harness.source.sweep();
      calls.before(undefined);
      // One inflation reads 64 KiB at a time; the other reads are of heads and ends.
      const steps = part.length / (64 * 1024);
      assert.ok(reads < steps + 12, `${reads} reads of a part of ${steps} steps`);
    }
    await harness.settle();
    assertAll(harness, log.written);
    assert.deepEqual(harness.gaps(), []);
  }));

const HALVES = [
  ['a compression that stopped', (content: Buffer) => gzipSync(content).subarray(0, gzipSync(content).length >> 1)],
  // As logrotate makes one without delaycompress, and whoever compresses what its writer has still open.
  [
    'a compression that began before the writer was done',
    (content: Buffer) => gzipSync(content.subarray(0, content.indexOf('\n', 300) + 1)),
  ],
] as const;

for (const [what, half] of HALVES) {
  for (const finished of [true, false]) {
    for (const isFresh of [true, false]) {
      const how = `${finished ? 'finished' : 'read in part'}, ${isFresh ? 'live at first' : 'rotated from the start'}`;
      test(`${what} is all that is left of a part, ${how}: nothing comes twice`, () =>
        withLog(async (harness, log) => {
          log.write(lines(2));
          if (isFresh) await harness.read();
          log.write(lines(1998));
          const backup = log.rotate();
          log.write(lines(3));
          if (finished) await harness.settle();
          else {
            await harness.read();
            await harness.commit();
          }
          // The agent is away, as when it is begun anew.
          await harness.stop();
          fs.writeFileSync(`${backup}.gz`, half(fs.readFileSync(backup)));
          fs.rmSync(backup);
          log.write(lines(3));
          harness.start();
          harness.pass(10_000);
          for (let round = 0; round < 3; round += 1) await harness.settle();
          assertAll(harness, log.written);
          assert.ok(harness.gaps().length <= (finished ? 0 : 1));
          await harness.stop();
          harness.start();
          await harness.settle();
          assertAll(harness, log.written);
        }));
    }
  }
}

test('a part that its writer went on to write is compressed as it was before: nothing of that comes twice', () =>
  withLog(async (harness, log) => {
    log.write(lines(20));
    const backup = log.rotate();
    const late = (count: number) => {
      const added = lines(count);
      log.written.push(...added);
      fs.appendFileSync(backup, added.map((line) => `${line}\n`).join(''));
    };
    await harness.read();
    await harness.commit();
    late(7);
    const early = gzipSync(fs.readFileSync(backup));
    for (const count of [30, 50]) {
      late(count);
      await harness.read();
      await harness.commit();
    }
    await harness.stop();
    fs.writeFileSync(`${backup}.gz`, early);
    fs.rmSync(backup);
    harness.start();
    harness.pass(10_000);
    for (let round = 0; round < 3; round += 1) await harness.settle();
    assertAll(harness, log.written);
  }));

for (const isHeld of [true, false]) {
  test(`the gzip of a part that was read is not inflated, its original being ${isHeld ? 'held' : 'let go'}`, () =>
    withLog(async (harness, log) => {
      const noise = randomBytes(1024 * 1024).toString('base64');
      log.write([...lines(20), `{"t":1,"noise":"${noise}"}`, ...lines(20)]);
      await harness.read();
      const backup = log.rotate();
      log.write(lines(5));
      if (isHeld) await harness.read();
      else await harness.settle();
      gzip(backup);
      using calls = await FileCalls.intercept();
      let reads = 0;
      calls.before((call) => {
        if (call === 'handle.read') reads += 1;
      });
      await harness.source.sweep();
      calls.before(undefined);
      // One inflation of it takes more than 16 reads of 64 KiB.
      assert.ok(reads < 12, `${reads} reads`);
      log.write(lines(5));
      for (let round = 0; round < 2; round += 1) {
        await harness.settle();
        assertAll(harness, log.written);
        await harness.stop();
        harness.start();
      }
      await harness.settle();
      assertAll(harness, log.written);
      assert.deepEqual(harness.gaps(), []);
    }));
}
