import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { gunzipSync as independentGunzip } from 'fflate';
import { COMPRESSIONS } from '../../../src/config/types.ts';
import { nodeFileIo } from '../../../src/sink/file-io.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';
import { committedLines, Harness, HOUR, harness, programCat, readLines, T0, tempDir } from './archive-harness.ts';

test('lines are in the file of their tag and hour after a commit', async (t) => {
  const h = harness(t);
  await h.start();
  h.append('a', 'one');
  h.append('b', 'two');
  h.append('a', 'three', T0 + HOUR);
  h.append('a', 'four');
  assert.equal(await h.commit(), 3);
  assert.deepEqual(h.lines('a'), ['one', 'four']);
  assert.deepEqual(h.lines('b'), ['two']);
  assert.deepEqual(h.lines('a', T0 + HOUR), ['three']);
  assert.equal(fs.statSync(h.file('a')).mode & 0o777, 0o640);
  assert.equal(fs.statSync(h.dir).mode & 0o777, 0o750);
  assert.equal(h.budget.used, 0);
});

test('files have the mode that the configuration asks for, whatever the umask takes away', async (t) => {
  const umask = process.umask(0o077);
  try {
    const h = harness(t, { config: { mode: 0o664 } });
    await h.start();
    h.append('a', 'one');
    await h.commit();
    assert.equal(fs.statSync(h.file('a')).mode & 0o777, 0o664);
  } finally {
    process.umask(umask);
  }
});

test('nothing appended gives an empty commit, and a second close is harmless', async (t) => {
  const h = harness(t);
  await h.start();
  assert.equal(h.archive.cut().isEmpty, true);
  assert.equal(await h.commit(), 0);
  await h.archive.close();
  await h.archive.close();
});

test('zcat, gzip -t, zlib and an independent inflater read a file of many small commits', async (t) => {
  const h = harness(t, { durability: 'disk' });
  await h.start();
  const expected: string[] = [];
  for (let i = 0; i < 40; i += 1) {
    const line = `{"n":${i},"text":"${'wort '.repeat(i)}"}`;
    expected.push(line);
    h.append('a', line);
    await h.commit();
  }
  const text = `${expected.join('\n')}\n`;
  assert.equal(programCat(h.file('a')).toString(), text);
  assert.deepEqual(h.lines('a'), expected);
  assert.equal(Buffer.from(independentGunzip(fs.readFileSync(h.file('a')))).toString(), text);
});

test('zstd, zstdgrep and zlib read a file of many small commits, each a frame', async (t) => {
  const h = harness(t, { durability: 'disk', config: { compress: 'zstd' } });
  await h.start();
  const expected: string[] = [];
  for (let i = 0; i < 40; i += 1) {
    const line = `{"n":${i},"text":"${'wort '.repeat(i)}"}`;
    expected.push(line);
    h.append('a', line);
    await h.commit();
    assert.equal(programCat(h.file('a')).toString(), `${expected.join('\n')}\n`);
  }
  assert.deepEqual(h.lines('a'), expected);
  const frames = fs.readFileSync(h.file('a')).toString('latin1').split('\x28\xb5\x2f\xfd').length - 1;
  assert.equal(frames, 40);
  const found = spawnSync('zstdgrep', ['-c', 'wort', h.file('a')], { encoding: 'utf8' });
  if (found.error !== undefined) t.diagnostic(`zstdgrep was not asked: ${found.error.message}`);
  else assert.equal(found.stdout.trim(), '39');
});

test('what is appended after a cut is not in its rows', async (t) => {
  const h = harness(t);
  await h.start();
  h.append('a', 'one');
  const cut = h.archive.cut();
  h.append('a', 'two');
  const rows = await h.archive.flush(cut);
  h.records.save(rows);
  h.archive.committed(cut);
  assert.deepEqual([...committedLines(h.records).values()], [['one']]);
  await h.commit();
  assert.deepEqual([...committedLines(h.records).values()], [['one', 'two']]);
  assert.equal(h.records.open('archive')[0]!.events, 2);
  assert.equal(h.records.open('archive')[0]!.contentBytes, 8);
});

test('uncompressed files hold the lines as they are', async (t) => {
  const h = harness(t, { config: { compress: 'none' } });
  await h.start();
  h.append('a', 'one');
  await h.commit();
  h.append('a', 'two');
  await h.commit();
  h.append('a', 'three');
  await h.start();
  h.append('a', 'four');
  await h.commit();
  assert.equal(fs.readFileSync(h.file('a'), 'utf8'), 'one\ntwo\nfour\n');
});

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      tag: fc.integer({ min: 0, max: 4 }),
      size: fc.integer({ min: 0, max: 3000 }),
      hour: fc.nat(1),
    }),
  },
  { weight: 2, arbitrary: fc.constant('commit' as const) },
  { weight: 1, arbitrary: fc.constant('cut' as const) },
  { weight: 1, arbitrary: fc.constant('rewind' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);

for (const compress of COMPRESSIONS) {
  test(`any sequence of appends, commits, rewinds and crashes gives exactly the committed lines (${compress})`, async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom(512, 4096, 65536),
        fc.integer({ min: 1, max: 3 }),
        async (steps, blockBytes, maxOpenFiles) => {
          const h = new Harness(tempDir(t), { blockBytes, config: { maxOpenFiles, compress } });
          await h.start();
          const committed = new Map<string, string[]>();
          let pending: [string, string][] = [];
          let serial = 0;
          const merge = () => {
            for (const [file, line] of pending) committed.set(file, [...(committed.get(file) ?? []), line]);
            pending = [];
          };
          for (const action of [...steps, 'commit' as const]) {
            if (action === 'commit') {
              await h.commit();
              merge();
            } else if (action === 'cut') {
              // A flush without its transaction: it must count for nothing after the rewind.
              await h.archive.flush(h.archive.cut());
              await h.archive.rewind();
              pending = [];
            } else if (action === 'rewind') {
              await h.archive.rewind();
              pending = [];
            } else if (action === 'crash') {
              await h.archive.close();
              await h.start();
              pending = [];
            } else {
              const line = `${serial++} ${'event '.repeat(action.size / 6)}`;
              h.append(`n${action.tag}`, line, T0 + action.hour * HOUR);
              pending.push([h.file(`n${action.tag}`, T0 + action.hour * HOUR), line]);
            }
          }
          for (const [file, lines] of committed) assert.deepEqual(readLines(file), lines);
          assert.equal(h.files().length, committed.size);
          assert.deepEqual(h.failures, []);
          assert.equal(h.budget.used, 0);
          await h.archive.close();
          h.db.close();
        },
      ),
      fuzz(60),
    );
  });
}

test('with durability disk, what a flush reports is synced, and so are the directories of new files', async (t) => {
  const names = new Map<number, string>();
  const unsynced = new Set<string>();
  const h = harness(t, {
    durability: 'disk',
    config: { maxOpenFiles: 2 },
    io: {
      ...nodeFileIo,
      open: async (file, flags, mode) => {
        const fd = await nodeFileIo.open(file, flags, mode);
        names.set(fd, file);
        if ((flags & fs.constants.O_CREAT) !== 0) unsynced.add(path.dirname(file));
        return fd;
      },
      mkdir: (directory, mode) => {
        unsynced.add(path.dirname(directory));
        return nodeFileIo.mkdir(directory, mode);
      },
      write: (fd, buffer, position) => {
        unsynced.add(names.get(fd)!);
        return nodeFileIo.write(fd, buffer, position);
      },
      fdatasync: async (fd) => {
        unsynced.delete(names.get(fd)!);
        await nodeFileIo.fdatasync(fd);
      },
      fsync: async (fd) => {
        unsynced.delete(names.get(fd)!);
        await nodeFileIo.fsync(fd);
      },
    },
  });
  await h.start();
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 5; i += 1) h.append(`n${i + round}`, 'one');
    const cut = h.archive.cut();
    const rows = await h.archive.flush(cut);
    assert.deepEqual([...unsynced], []);
    h.records.save(rows);
    h.archive.committed(cut);
  }
});
