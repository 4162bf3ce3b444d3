import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Harness, HOUR, harness, readLines, T0 } from './archive-harness.ts';

const DIFFERENT = 'something that is not the archive';

for (const [what, take] of [
  ['file', (file: string) => fs.writeFileSync(file, DIFFERENT)],
  ['directory', (file: string) => fs.mkdirSync(file)],
  ['symlink', (file: string) => fs.symlinkSync('../target', file)],
  ['dangling symlink', (file: string) => fs.symlinkSync('nowhere', file)],
] as const) {
  test(`a path that is taken by an unknown ${what} is left alone`, async (t) => {
    const h = harness(t);
    await h.start();
    h.append('other', 'makes the directory');
    await h.commit();
    fs.writeFileSync(path.join(h.root, 'target'), DIFFERENT);
    take(h.file('a'));
    const before = fs.lstatSync(h.file('a'));
    h.append('a', 'one');
    await h.commit();
    h.append('a', 'two');
    await h.commit();
    assert.deepEqual(h.lines('a', T0, 1), ['one', 'two']);
    assert.equal(fs.lstatSync(h.file('a')).ino, before.ino);
    assert.equal(fs.readFileSync(path.join(h.root, 'target'), 'utf8'), DIFFERENT);
    assert.equal(h.logged(/taken by something unknown/).length, 1);

    // After a restart the sibling is continued, without another warning.
    await h.start();
    h.append('a', 'three');
    await h.commit();
    assert.deepEqual(h.lines('a', T0, 1), ['one', 'two', 'three']);
    assert.equal(h.logged(/taken by something unknown/).length, 1);
  });
}

/** What somebody may do to an archive file, and whether its committed content is still there to be read afterwards. */
const ATTACKS: Record<string, (file: string, aside: string) => void> = {
  'was removed': (file) => fs.unlinkSync(file),
  'was moved away': (file, aside) => fs.renameSync(file, aside),
  'was exchanged for another file': (file, aside) => {
    fs.renameSync(file, aside);
    fs.writeFileSync(file, DIFFERENT);
  },
  'was exchanged for a copy': (file, aside) => {
    fs.copyFileSync(file, aside);
    fs.renameSync(aside, file);
  },
  'was exchanged for a symlink to itself': (file, aside) => {
    fs.renameSync(file, aside);
    fs.symlinkSync(aside, file);
  },
  'was exchanged for a directory': (file, aside) => {
    fs.renameSync(file, aside);
    fs.mkdirSync(file);
  },
  'was exchanged for a named pipe': (file, aside) => {
    fs.renameSync(file, aside);
    execFileSync('mkfifo', [file]);
  },
  'was cut': (file) => fs.truncateSync(file, 12),
};

for (const [what, attack] of Object.entries(ATTACKS)) {
  for (const when of [
    'between commits',
    'between two cuts',
    'while the descriptor is closed',
    'while stopped',
    'when finished',
  ] as const) {
    test(`a committed file that ${what} ${when} is left alone and a sibling takes over`, async (t) => {
      const h = harness(t, { config: { maxOpenFiles: 1 } });
      const file = h.file('a');
      const aside = path.join(h.root, 'aside.gz');
      await h.start();
      h.append('a', 'one '.repeat(20));
      await h.commit();
      if (when === 'while the descriptor is closed') {
        h.append('b', 'takes the only descriptor');
        await h.commit();
      }
      if (when === 'when finished') await finishFirstHour(h);
      if (when === 'while stopped') await h.archive.close();
      if (when === 'between two cuts') {
        h.append('a', 'two');
        const cut = h.archive.cut();
        attack(file, aside);
        await assert.rejects(h.archive.flush(cut), { code: 'ARCHIVE_CHANGED' });
      } else {
        attack(file, aside);
      }
      const bytes = snapshot(file);

      if (when === 'while stopped') await h.start();
      h.append('a', 'two');
      if (when === 'between commits' || when === 'while the descriptor is closed') {
        await assert.rejects(h.commit(), { code: 'ARCHIVE_CHANGED' });
      }
      if (h.failures.length > 0) {
        await h.archive.rewind();
        h.append('a', 'two');
      }
      await h.commit();
      assert.deepEqual(h.lines('a', T0, 1), ['two']);
      assert.deepEqual(snapshot(file), bytes);
      if (fs.existsSync(aside)) assert.deepEqual(readLines(aside), ['one '.repeat(20)]);
      assert.equal(h.logged(/was changed by somebody else/).length, 1);

      // It stays so after a restart, and nobody is told twice.
      await h.start();
      h.append('a', 'three');
      await h.commit();
      assert.deepEqual(h.lines('a', T0, 1), ['two', 'three']);
      assert.equal(h.logged(/was changed by somebody else/).length, 1);
      assert.deepEqual(h.cuts(), []);
    });
  }
}

async function finishFirstHour(h: Harness): Promise<void> {
  h.append('later', 'event', T0 + HOUR);
  await h.commit();
  h.now = T0 + 2 * HOUR;
  await h.archive.maintain();
  assert.equal(h.logged(/archive file finished/).length, 1);
}

function snapshot(file: string): unknown {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return { inode: stat.ino, content: stat.isFile() ? fs.readFileSync(file) : stat.size };
}

test('the archive directory vanishes while the agent runs', async (t) => {
  const h = harness(t);
  await h.start();
  h.append('a', 'one');
  await h.commit();
  fs.renameSync(h.dir, `${h.dir}.gone`);
  h.append('a', 'two');
  await assert.rejects(h.commit(), { code: 'ARCHIVE_CHANGED' });
  await h.archive.rewind();
  h.append('a', 'two');
  await h.commit();
  assert.deepEqual(h.lines('a', T0, 1), ['two']);
  assert.equal(h.failures.length, 1);
});

test('a read-only place for the archive is a failure, and works after a rewind when it is mended', async (t) => {
  const h = harness(t);
  fs.writeFileSync(h.dir, 'a file where the directory should be');
  await h.start();
  h.append('a', 'one');
  await assert.rejects(h.commit(), { code: 'ARCHIVE_WRITE', message: new RegExp(`cannot write .*${h.file('a')}`) });
  await h.archive.rewind();
  fs.unlinkSync(h.dir);
  h.append('a', 'one');
  await h.commit();
  assert.deepEqual(h.lines('a'), ['one']);
});

test('a foreign file that appears between registering and creating is not taken for ours', async (t) => {
  const { nodeFileIo } = await import('../../../src/sink/file-io.ts');
  let armed = true;
  const h: Harness = harness(t, {
    io: {
      ...nodeFileIo,
      open: (file, flags, mode) => {
        if (armed && file === h.file('a')) {
          armed = false;
          fs.writeFileSync(file, DIFFERENT);
        }
        return nodeFileIo.open(file, flags, mode);
      },
    },
  });
  await h.start();
  fs.mkdirSync(h.dir);
  h.append('a', 'one');
  await h.commit();
  assert.equal(fs.readFileSync(h.file('a'), 'utf8'), DIFFERENT);
  assert.deepEqual(h.lines('a', T0, 1), ['one']);
  await h.archive.rewind();
  assert.equal(fs.readFileSync(h.file('a'), 'utf8'), DIFFERENT);
});
