import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMPRESSIONS } from '../../../src/config/types.ts';
import { AuditailError } from '../../../src/errors.ts';
import { type Harness, HOUR, harness, readLines, T0 } from './archive-harness.ts';

/** Every file below a directory with its content and times. */
function everything(directory: string): [string, string, number][] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [file, fs.readFileSync(file).toString('hex'), fs.statSync(file).mtimeMs]);
}

async function refusal(h: Harness): Promise<AuditailError> {
  const before = everything(h.dir);
  const error = await h.start().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AuditailError, String(error));
  assert.deepEqual(everything(h.dir), before);
  assert.deepEqual(h.cuts(), []);
  return error;
}

const COMPRESSED = COMPRESSIONS.filter((one) => one !== 'none');

test('an empty state beside an archive is refused with the command that resolves it', async (t) => {
  const h = harness(t);
  await h.start();
  h.append('a', 'one');
  await h.commit();
  await h.archive.close();
  h.db.close();
  fs.rmSync(path.join(h.root, 'state'), { recursive: true });

  const error = await refusal(h);
  assert.equal(error.code, 'STATE_EMPTY');
  const command = /with: (mv .*)$/.exec(error.hint!)![1]!;
  execFileSync('sh', ['-c', command]);
  await h.start();
  h.append('a', 'two');
  await h.commit();
  assert.deepEqual(h.lines('a'), ['two']);
  assert.deepEqual(readLines(path.join(`${h.dir}.20261120T150001Z`, path.basename(h.file('a')))), ['one']);
});

test('an empty state is fine beside files that are not the archive, or are those of another sink', async (t) => {
  const h = harness(t);
  fs.mkdirSync(path.join(h.dir, 'lost+found'), { recursive: true });
  fs.writeFileSync(path.join(h.dir, 'README'), '');
  h.create();
  h.records.register(
    [{ sink: 'other', path: h.file('x'), wantedPath: h.file('x'), slot: T0, tag: 'x', compress: 'gzip', createdAt: 1 }],
    [],
  );
  fs.writeFileSync(h.file('x'), '');
  await h.archive.start();
  h.append('a', 'one');
  await h.commit();
  assert.deepEqual(h.lines('a'), ['one']);
});

test('an old copy of the state is refused when more than one commit is missing in it', async (t) => {
  const h = harness(t, { tailLimit: 300, config: { level: 0 } });
  await h.start();
  h.append('a', 'one');
  h.append('b', 'one');
  await h.commit();
  h.db.pragma('wal_checkpoint(TRUNCATE)');
  fs.cpSync(path.join(h.root, 'state'), path.join(h.root, 'old'), { recursive: true });
  h.append('b', 'a tail that is allowed');
  for (let i = 0; i < 10; i += 1) {
    h.append('a', `${i}`.repeat(60));
    await h.commit();
  }
  await h.archive.close();
  h.db.close();
  fs.rmSync(path.join(h.root, 'state'), { recursive: true });
  fs.renameSync(path.join(h.root, 'old'), path.join(h.root, 'state'));
  const error = await refusal(h);
  assert.equal(error.code, 'STATE_FOREIGN');
  assert.match(error.message, /audit-a\./);
  assert.match(error.hint!, /mv '.*\/out' '.*\/out\.20261120T150001Z'$/);
  assert.equal(h.records.open('archive').length, 2);
});

test('the tail of a line that is longer than memory is not taken for a foreign state', async (t) => {
  const h = harness(t, { tailLimit: 300, blockBytes: 512, config: { level: 0 } });
  await h.start();
  h.append('a._oversize', 'one');
  await h.commit();
  const long = await h.archive.beginLong('audit.a._oversize', T0);
  for (let i = 0; i < 20; i += 1) await long.write(Buffer.alloc(100, 97), 0, 100);
  await settled(() => fs.statSync(h.file('a._oversize')).size > 1500);
  await h.start();
  assert.deepEqual(h.lines('a._oversize'), ['one']);
});

test('a tail is kept until it is dropped, and one that was kept before is not overwritten', async (t) => {
  const h = harness(t);
  await h.start();
  h.append('a', 'one');
  await h.commit();
  const id = h.records.open('archive')[0]!.id;
  const committed = h.records.open('archive')[0]!.committedBytes;
  fs.appendFileSync(h.file('a'), 'first tail');
  await h.start();
  assert.deepEqual(h.lines('a'), ['one']);
  fs.truncateSync(h.file('a'), committed);
  fs.appendFileSync(h.file('a'), 'second');
  await h.start();
  assert.deepEqual(h.lines('a'), ['one']);
  assert.deepEqual(h.cuts(), [`${id}-${committed}.1.tail`, `${id}-${committed}.tail`]);
  assert.match(fs.readFileSync(path.join(h.cutDir, `${id}-${committed}.tail`), 'latin1'), /first tail$/);
  assert.equal(fs.readFileSync(path.join(h.cutDir, `${id}-${committed}.1.tail`), 'latin1'), 'second');
  assert.equal(h.logged(/cut to the last commit/).length, 2);
  await h.archive.dropCutTails();
  await h.archive.dropCutTails();
  assert.deepEqual(h.cuts(), []);
});

for (const compress of COMPRESSED) {
  test(`a trailer that is torn or missing is written again, and nothing is kept of it (${compress})`, async (t) => {
    const h = harness(t, { config: { compress } });
    await h.start();
    h.append('a', 'one');
    await h.commit();
    const whole = fs.readFileSync(h.file('a'));
    const { committedBytes } = h.records.open('archive')[0]!;
    for (let length = committedBytes; length < whole.length; length += 1) {
      fs.truncateSync(h.file('a'), length);
      await h.start();
      assert.deepEqual(fs.readFileSync(h.file('a')), whole);
    }
    assert.deepEqual(h.cuts(), []);
  });
}

for (const compress of COMPRESSED) {
  test(`a file without a commit is removed at a start, and its bytes are kept (${compress})`, async (t) => {
    const h = harness(t, { blockBytes: 512, config: { compress } });
    await h.start();
    h.append('a', 'x'.repeat(600));
    await settled(() => h.files().length === 1 && fs.statSync(h.file('a')).size > 0);
    await h.archive.close();
    await h.start();
    assert.deepEqual(h.files(), []);
    assert.equal(h.cuts().length, 1);
    assert.deepEqual(h.records.open('archive'), []);
    h.append('a', 'again');
    await h.commit();
    assert.deepEqual(h.lines('a'), ['again']);
    assert.equal(h.logged(/taken/).length, 0);
  });
}

for (const compress of ['gzip', 'none'] as const) {
  test(`a state that says a wrong length of a file damages nothing (${compress})`, async (t) => {
    const h = harness(t, { config: { compress } });
    await h.start();
    for (const line of ['one', 'two', 'three']) h.append('a', line);
    await h.commit();
    const whole = fs.readFileSync(h.file('a'));
    await h.archive.close();
    // One bit of the database is another.
    h.db.prepare('UPDATE archives SET committed_bytes = committed_bytes - 2').run();
    await h.start();
    h.append('a', 'four');
    await h.commit();
    assert.deepEqual(fs.readFileSync(h.file('a')), whole);
    assert.deepEqual(h.lines('a', T0, 1), ['four']);
  });
}

for (const compress of COMPRESSED) {
  test(`a rewind removes files without a commit and keeps nothing (${compress})`, async (t) => {
    const h = harness(t, { blockBytes: 512, config: { compress } });
    await h.start();
    h.append('a', 'x'.repeat(600));
    await settled(() => h.files().length === 1 && fs.statSync(h.file('a')).size > 0);
    h.append('b', 'pending');
    await h.archive.rewind();
    assert.deepEqual(h.files(), []);
    assert.deepEqual(h.cuts(), []);
    assert.equal(h.budget.used, 0);
    await h.commit();
    assert.deepEqual(h.files(), []);
  });
}

test('foreign bytes behind an open file are kept when a rewind cuts them off', async (t) => {
  const h = harness(t);
  await h.start();
  h.append('a', 'one');
  await h.commit();
  fs.appendFileSync(h.file('a'), 'evidence');
  h.append('a', 'two');
  await assert.rejects(h.commit(), { code: 'ARCHIVE_CHANGED' });
  await h.archive.rewind();
  h.append('a', 'two');
  await h.commit();
  assert.deepEqual(h.lines('a'), ['one', 'two']);
  assert.match(fs.readFileSync(path.join(h.cutDir, h.cuts()[0]!), 'latin1'), /evidence$/);
});

for (const compress of COMPRESSED) {
  test(`a finished hour is told once, and late events still land in it (${compress})`, async (t) => {
    const h = harness(t, { config: { compress } });
    await h.start();
    h.append('a', 'one');
    await h.commit();
    h.now = T0 + HOUR + h.config.graceMs;
    await h.archive.maintain();
    assert.equal(h.logged(/finished/).length, 0, 'no later hour was committed');
    h.append('a', 'two', T0 + HOUR);
    await h.commit();
    h.now -= 1;
    await h.archive.maintain();
    assert.equal(h.logged(/finished/).length, 0, 'grace is not over');
    h.now += 1;
    h.append('a', 'three');
    await h.archive.maintain();
    assert.equal(h.logged(/finished/).length, 0, 'it has lines that are not committed');
    await h.commit();
    await h.archive.maintain();
    await h.archive.maintain();
    const [told, ...more] = h.logged(/finished/);
    assert.deepEqual(more, []);
    assert.equal(told!.event, 'archive_finished');
    assert.equal(told!.path, h.file('a'));
    assert.equal(told!.events, 2);
    assert.equal(told!.first_time, '2026-11-20T15:00:00.000Z');

    const shipped = fs.readFileSync(h.file('a'));
    h.append('a', 'late');
    h.append('b', 'late');
    await h.commit();
    assert.deepEqual(h.lines('a'), ['one', 'three', 'late']);
    assert.deepEqual(h.lines('b'), ['late']);
    assert.deepEqual(fs.readFileSync(h.file('a')).subarray(0, shipped.length), shipped);
    await h.archive.maintain();
    assert.deepEqual(
      h.logged(/file finished/).map((line) => [line.path, line.events]),
      [
        [h.file('a'), 2],
        [h.file('a'), 3],
        [h.file('b'), 1],
      ],
    );
  });
}

for (const compress of COMPRESSED) {
  test(`a crash while late events are written to a finished hour leaves the hour as it was (${compress})`, async (t) => {
    const h = harness(t, { blockBytes: 512, config: { compress } });
    await h.start();
    h.append('a', 'one');
    h.append('a', 'two', T0 + HOUR);
    await h.commit();
    h.now = T0 + HOUR + h.config.graceMs;
    await h.archive.maintain();
    const finished = fs.readFileSync(h.file('a'));
    h.append('a', 'late'.repeat(200));
    await settled(() => fs.statSync(h.file('a')).size > finished.length);
    await h.start();
    assert.deepEqual(fs.readFileSync(h.file('a')), finished);
  });
}

test('files are finished after a restart too', async (t) => {
  const h = harness(t);
  await h.start();
  h.append('a', 'one');
  h.append('a', 'two', T0 + HOUR);
  await h.commit();
  h.now = T0 + HOUR + h.config.graceMs;
  await h.start();
  await h.archive.maintain();
  assert.deepEqual(
    h.logged(/file finished/).map((line) => line.path),
    [h.file('a')],
  );
  assert.equal(h.records.open('archive').length, 1);
});

test('a reboot that numbers the devices anew changes nothing', async (t) => {
  const h = harness(t, { config: { retention: { maxAgeMs: HOUR, maxBytes: undefined, minKeepMs: 0 } } });
  await h.start();
  h.append('a', 'one');
  h.append('old', 'one', T0 - 5 * HOUR);
  await h.commit();
  const committed = fs.statSync(h.file('a')).size;
  h.append('a', 'not committed'.repeat(1000));
  h.archive.cut();
  await settled(() => fs.statSync(h.file('a')).size > committed);
  h.db.prepare("UPDATE archives SET device = '999999'").run();
  await h.start();
  h.append('a', 'two');
  h.append('old', 'two', T0 - 5 * HOUR);
  await h.commit();
  assert.deepEqual(h.lines('a'), ['one', 'two']);
  assert.deepEqual(h.lines('old', T0 - 5 * HOUR), ['one', 'two']);
  assert.equal(h.files().length, 2);
  h.now = T0 + HOUR;
  await h.archive.maintain();
  h.db.prepare("UPDATE archives SET device = '888888'").run();
  await h.start();
  h.append('old', 'three', T0 - 5 * HOUR);
  await h.commit();
  assert.deepEqual(h.lines('old', T0 - 5 * HOUR), ['one', 'two', 'three']);
});

async function settled(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn += 1) {
    if (fsSafe(condition)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('it did not happen');
}

function fsSafe(condition: () => boolean): boolean {
  try {
    return condition();
  } catch {
    return false;
  }
}
