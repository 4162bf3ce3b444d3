import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { COMPRESSIONS } from '../../../src/config/types.ts';
import { ByteBudget } from '../../../src/sink/file/byte-budget.ts';
import { nodeFileIo } from '../../../src/sink/file-io.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';
import { committedLines, Harness, HOUR, harness, programCat, readLines, T0, tempDir } from './archive-harness.ts';

const COMPRESSED = COMPRESSIONS.filter((one) => one !== 'none');

test('no more descriptors than max_open_files, whatever the number of files', async (t) => {
  const open = new Set<number>();
  let most = 0;
  const h = harness(t, {
    durability: 'disk',
    config: { maxOpenFiles: 3 },
    io: {
      ...nodeFileIo,
      open: async (file, flags, mode) => {
        const fd = await nodeFileIo.open(file, flags, mode);
        if (file.endsWith('.gz')) open.add(fd);
        most = Math.max(most, open.size);
        return fd;
      },
      close: (fd) => {
        open.delete(fd);
        return nodeFileIo.close(fd);
      },
    },
  });
  await h.start();
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 20; i += 1) h.append(`n${i}`, `${round}`);
    await h.commit();
  }
  for (let i = 0; i < 20; i += 1) assert.deepEqual(h.lines(`n${i}`), ['0', '1', '2']);
  assert.equal(most, 3);
  await h.archive.close();
  assert.equal(open.size, 0);
});

test('tags beyond max_tags share the overflow file of their hour, across restarts and rewinds', async (t) => {
  const h = harness(t, { config: { maxTags: 3 } });
  await h.start();
  for (const namespace of ['a', 'b', 'c', 'd', 'e', 'a']) h.append(namespace, namespace);
  await h.commit();
  await h.start();
  for (const namespace of ['d', 'c', 'f']) h.append(namespace, namespace);
  await h.archive.rewind();
  for (const namespace of ['f', 'd', 'c']) h.append(namespace, namespace);
  h.append('f', 'next hour', T0 + HOUR);
  await h.commit();
  assert.deepEqual(h.lines('a'), ['a', 'a']);
  assert.deepEqual(h.lines('c'), ['c', 'c']);
  assert.deepEqual(h.lines('_overflow'), ['d', 'e', 'f', 'd']);
  assert.deepEqual(h.lines('f', T0 + HOUR), ['next hour']);
  assert.equal(h.files().length, 5);
  assert.equal(h.logged(/too many tags/).length, 2);
});

test('a hundred thousand distinct tags keep files and memory bounded', async (t) => {
  const h = harness(t, { config: { maxTags: 50 } });
  await h.start();
  for (let i = 0; i < 100_000; i += 1) h.append(`n${i}`, `${i}`);
  assert.ok(h.budget.used < 4 * 1024 * 1024, `${h.budget.used} bytes`);
  await h.commit();
  assert.equal(h.files().length, 51);
  assert.equal(h.lines('_overflow').length, 100_000 - 50);
});

test('the budget: readers wait, pending content goes out without a commit, and all of it comes back', async (t) => {
  const budget = new ByteBudget(256 * 1024);
  const h = harness(t, { budget });
  await h.start();
  const line = 'x'.repeat(2000);
  let waits = 0;
  for (let i = 0; i < 2000; i += 1) {
    h.append(`n${i % 40}`, `${i} ${line}`);
    if (budget.used >= budget.limit) {
      waits += 1;
      await budget.whenBelow();
    }
    assert.ok(budget.used <= 2 * budget.limit, `${budget.used} bytes`);
  }
  assert.ok(waits > 0);
  await h.commit();
  assert.equal(budget.used, 0);
  for (let n = 0; n < 40; n += 1) assert.equal(h.lines(`n${n}`).length, 50);
});

test('all blocks but the first behind a commit wait for more of their file, until half a block, the next commit or a want of memory', async (t) => {
  const budget = new ByteBudget(64 * 1024 * 1024);
  const blockBytes = 64 * 1024;
  const written: number[] = [];
  const h = harness(t, {
    budget,
    blockBytes,
    io: {
      ...nodeFileIo,
      write: (fd, buffer, position) => {
        written.push(buffer.length);
        return nodeFileIo.write(fd, buffer, position);
      },
    },
  });
  await h.start();
  const lines: string[] = [];
  const appendBlocks = async (count: number) => {
    for (let block = 0; block < count; block += 1) {
      // With its newline a block, of which gzip makes some 10 KiB.
      const digits = randomBytes(9 * 1024).toString('hex');
      lines.push(digits.padEnd(blockBytes - 1, 'x'));
      h.append('a', lines.at(-1)!);
      // Time enough to write each by itself.
      await setTimeout(30);
    }
  };
  // The last one is not full before the next line comes.
  await appendBlocks(10);
  assert.equal(written.length, 3, `${written}`);
  assert.ok(written[0]! < blockBytes / 4, `${written}`);
  assert.ok(
    written.slice(1).every((bytes) => bytes >= blockBytes / 2 && bytes < blockBytes),
    `${written}`,
  );
  await h.commit();
  assert.equal(written.length, 4, `${written}`);
  await appendBlocks(3);
  assert.equal(written.length, 5, `${written}`);
  budget.take(budget.limit);
  const below = budget.whenBelow();
  await setTimeout(30);
  // What was ready, and then what was pending.
  assert.equal(written.length, 7, `${written}`);
  budget.give(budget.limit);
  await below;
  await h.commit();
  assert.deepEqual(h.lines('a'), lines);
  assert.equal(budget.used, 0);
});

test('a failure wakes readers that wait for memory', async (t) => {
  const budget = new ByteBudget(64 * 1024);
  const h = harness(t, {
    budget,
    io: { ...nodeFileIo, write: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })) },
  });
  await h.start();
  for (let i = 0; i < 100; i += 1) h.append('a', `${i}`.repeat(500));
  assert.ok(budget.used >= budget.limit);
  await budget.whenBelow();
  await assert.rejects(h.commit(), { code: 'ARCHIVE_FULL' });
  h.append('a', 'goes nowhere');
  assert.equal(budget.used, 0);
  await assert.rejects(h.commit(), { code: 'ARCHIVE_FULL' });
  assert.equal(h.failures.length, 1);
});

for (const compress of COMPRESSED) {
  test(`a line that is longer than memory is never committed in part (${compress})`, async (t) => {
    const budget = new ByteBudget(128 * 1024);
    const h = harness(t, { budget, config: { compress } });
    await h.start();
    h.append('big', 'before');
    const long = await h.archive.beginLong('audit.big', T0);
    const piece = Buffer.from('0123456789'.repeat(3000));
    let most = 0;
    for (let i = 0; i < 30; i += 1) {
      await long.write(piece, 0, piece.length);
      most = Math.max(most, budget.used);
      if (i === 15) {
        h.append('big', 'between');
        h.append('other', 'other');
        await h.commit();
        const found = committedLines(h.records);
        assert.deepEqual(found.get(h.file('big')), ['before']);
        assert.deepEqual(found.get(h.file('big', T0, 1)), ['between']);
        assert.deepEqual(found.get(h.file('other')), ['other']);
      }
    }
    assert.ok(most < 1024 * 1024, `${most} bytes`);
    await h.commit();
    assert.deepEqual(committedLines(h.records).get(h.file('big')), ['before']);
    long.end();
    await h.commit();
    assert.deepEqual(h.lines('big'), ['before', '0123456789'.repeat(90_000)]);
    assert.equal(h.records.open('archive').find((record) => record.path === h.file('big'))!.events, 2);
  });
}

test('long lines of one file wait for each other', async (t) => {
  const h = harness(t);
  await h.start();
  const first = await h.archive.beginLong('audit.big', T0);
  const second = h.archive.beginLong('audit.big', T0);
  first.write(Buffer.from('first'), 0, 5);
  first.end();
  const begun = await second;
  begun.write(Buffer.from('second'), 0, 6);
  begun.end();
  await h.commit();
  assert.deepEqual(h.lines('big'), ['first', 'second']);
});

test('a rewind in the middle of a long line: the rest of it goes nowhere, and those who wait go on', async (t) => {
  const h = harness(t);
  await h.start();
  const cutOff = await h.archive.beginLong('audit.big', T0);
  const waiting = h.archive.beginLong('audit.big', T0);
  cutOff.write(Buffer.from('lost'), 0, 4);
  await h.archive.rewind();
  cutOff.write(Buffer.from('lost'), 0, 4);
  cutOff.end();
  (await waiting).end();
  const again = await h.archive.beginLong('audit.big', T0);
  again.write(Buffer.from('whole'), 0, 5);
  again.end();
  await h.commit();
  assert.deepEqual(h.lines('big'), ['whole']);
});

test('small flushes keep the ratio that the dictionary gives', async (t) => {
  const h = harness(t, { config: { compress: 'gzip' } });
  await h.start();
  let bytes = 0;
  for (let i = 0; i < 300; i += 1) {
    const line = auditEvent(i);
    bytes += line.length + 1;
    h.append('a', line);
    await h.commit();
  }
  const { size } = fs.statSync(h.file('a'));
  assert.ok(bytes / 300 > 1000 && bytes / 300 < 2000, `${bytes / 300} bytes a flush`);
  assert.ok(bytes / size > 5, `ratio ${(bytes / size).toFixed(2)}`);
  assert.equal(programCat(h.file('a')).length, bytes);
});

/** The fields of a real event that differ from one to the next, with as little in common as they have. */
function auditEvent(i: number): string {
  const random = (digits: number) =>
    Array.from({ length: digits }, (_, at) =>
      (Math.imul(i * 7919 + at * 104_729 + 1, 2_654_435_761) >>> 28).toString(16),
    ).join('');
  const user = `system:serviceaccount:kube-system:controller-${i % 9}`;
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: random(32),
    stage: 'ResponseComplete',
    requestURI: `/api/v1/namespaces/a/pods/web-${random(10)}/status?timeout=10s`,
    verb: ['get', 'list', 'patch', 'update'][i % 4],
    user: { username: user, uid: random(32), groups: ['system:serviceaccounts', 'system:authenticated'] },
    sourceIPs: [`10.${i % 3}.${i % 17}.${i % 251}`],
    userAgent: 'kube-controller-manager/v1.36.1 (linux/amd64) kubernetes/4a91ae1/system:serviceaccount',
    objectRef: { resource: 'pods', namespace: 'a', name: `web-${random(10)}`, uid: random(32), apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: i % 11 === 0 ? 409 : 200 },
    responseObject: {
      metadata: { name: `web-${random(10)}`, uid: random(32), resourceVersion: String(1_000_000 + i * 37) },
      status: { phase: 'Running', podIP: `10.244.${i % 13}.${i % 239}`, qosClass: 'Burstable' },
    },
    requestReceivedTimestamp: new Date(T0 + i * 1371).toISOString(),
    stageTimestamp: new Date(T0 + i * 1371 + (i % 29)).toISOString(),
    annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': `RBAC: ${user}` },
  });
}

for (const [what, retention, kept] of [
  ['nothing, when it is off', { maxAgeMs: undefined, maxBytes: undefined, minKeepMs: 0 }, 6],
  ['what is too old', { maxAgeMs: 3 * HOUR, maxBytes: undefined, minKeepMs: 0 }, 4],
  ['what is too much, oldest first', { maxAgeMs: undefined, maxBytes: 45, minKeepMs: 0 }, 2],
  ['nothing below min_keep by age', { maxAgeMs: HOUR, maxBytes: undefined, minKeepMs: 24 * HOUR }, 6],
  ['nothing below min_keep by size', { maxAgeMs: undefined, maxBytes: 1, minKeepMs: 24 * HOUR }, 6],
  ['what is older than min_keep', { maxAgeMs: HOUR, maxBytes: 1, minKeepMs: 4 * HOUR + 1 }, 5],
] as const) {
  test(`retention deletes ${what}`, async (t) => {
    const h = harness(t, { config: { retention } });
    await h.start();
    for (let hour = 0; hour < 6; hour += 1) {
      h.now = T0 + hour * HOUR + 600_000;
      h.append('a', `${hour}`, T0 + hour * HOUR);
      await h.commit();
    }
    await h.archive.maintain();
    const left = h.files();
    const told = JSON.stringify({ left, failures: h.failures.map(String), logs: h.logs }, undefined, 2);
    assert.equal(left.length, kept, told);
    assert.equal(h.logged(/deleted by retention/).length, 6 - kept, told);
    assert.ok(fs.existsSync(h.file('a', T0 + 5 * HOUR)), 'the open file is never deleted');
    for (const file of left) readLines(path.join(h.dir, file));
  });
}

test('retention leaves alone what is not the file that was written', async (t) => {
  const h = harness(t, { config: { retention: { maxAgeMs: HOUR, maxBytes: undefined, minKeepMs: 0 } } });
  await h.start();
  for (const namespace of ['gone', 'other', 'link', 'own']) h.append(namespace, 'one');
  h.append('later', 'two', T0 + HOUR);
  await h.commit();
  fs.unlinkSync(h.file('gone'));
  fs.renameSync(h.file('link'), path.join(h.root, 'target'));
  fs.symlinkSync(path.join(h.root, 'target'), h.file('link'));
  fs.unlinkSync(h.file('other'));
  fs.writeFileSync(h.file('other'), 'another');
  h.now = T0 + 5 * HOUR;
  await h.archive.maintain();
  assert.equal(fs.existsSync(h.file('own')), false);
  assert.equal(fs.readFileSync(h.file('other'), 'utf8'), 'another');
  assert.ok(fs.existsSync(path.join(h.root, 'target')));
  assert.ok(fs.lstatSync(h.file('link')).isSymbolicLink());
  assert.equal(h.logged(/leaves a file alone/).length, 2);
  await h.archive.maintain();
  assert.equal(h.logged(/leaves a file alone/).length, 2);
});

test('files that others deleted long ago are forgotten, but never all of them', async (t) => {
  const h = harness(t);
  await h.start();
  for (const namespace of ['a', 'b']) h.append(namespace, 'one');
  h.append('a', 'two', T0 + HOUR);
  await h.commit();
  const count = () => h.db.prepare('SELECT count(*) FROM archives').pluck().get();
  h.now = T0 + 2 * HOUR;
  await h.archive.maintain();
  fs.unlinkSync(h.file('a'));
  await h.archive.maintain();
  assert.equal(count(), 3, 'the name stays taken for some days');
  h.now += 7 * 24 * HOUR;
  await h.archive.maintain();
  await h.archive.maintain();
  assert.equal(count(), 2);
  assert.equal(h.records.hasPath(h.file('b')), true);
  h.records.remove([h.records.open('archive')[0]!.id]);
  fs.unlinkSync(h.file('b'));
  await h.archive.maintain();
  await h.archive.maintain();
  assert.equal(count(), 1);
});

test('files that are new at once share one registration', async (t) => {
  const h = harness(t);
  await h.start();
  let transactions = 0;
  const register = h.records.register.bind(h.records);
  h.records.register = (files, reopened) => {
    transactions += 1;
    return register(files, reopened);
  };
  for (let i = 0; i < 200; i += 1) h.append(`n${i}`, 'one');
  await h.commit();
  assert.equal(transactions, 1);
});

for (const compress of COMPRESSED) {
  test(`a line of any length in any block size comes back as it was (${compress})`, async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 12 }),
        fc.constantFrom(1, 7, 100, 4096, 65536),
        fc.integer({ min: 1000, max: 100_000 }),
        async (lines, blockBytes, limit) => {
          const h = new Harness(tempDir(t), { blockBytes, budget: new ByteBudget(limit), config: { compress } });
          await h.start();
          // A reused buffer, as the reader has it.
          const shared = Buffer.alloc(6000);
          const expected: Buffer[] = [];
          for (const line of lines) {
            shared.fill(0x21).set(line, 500);
            h.archive.append('audit.a', T0, shared, 500, 500 + line.length);
            expected.push(Buffer.from(line), Buffer.from('\n'));
            if (h.budget.used >= limit) await h.budget.whenBelow();
          }
          await h.commit();
          assert.equal(h.budget.used, 0);
          if (lines.length > 0) assert.deepEqual(programCat(h.file('a')), Buffer.concat(expected));
          await h.archive.close();
          h.db.close();
        },
      ),
      fuzz(25),
    );
  });
}
