import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { discover } from '../../src/source/discovery.ts';
import { FileCalls } from './file-calls.ts';

const STAMP = '2026-11-20T15-04-05.000';

/** A directory with these files; a name that ends on a slash is a directory. */
function tree(t: TestContext, ...names: string[]): string {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-discovery-')));
  t.after(() => fs.rmSync(root, { recursive: true }));
  for (const name of names) {
    const file = path.join(root, name);
    fs.mkdirSync(name.endsWith('/') ? file : path.dirname(file), { recursive: true });
    if (!name.endsWith('/')) fs.writeFileSync(file, name);
  }
  return root;
}

/** Streams by the path of their live file, with the paths of their files; all relative to `root`. */
async function found(root: string, source: string, exclude: string[] = []): Promise<Record<string, string[]>> {
  const { streams } = await discover({ path: path.join(root, source), exclude });
  const relative = (file: string) => path.relative(root, file);
  return Object.fromEntries(
    streams.map(({ path: live, files }) => [relative(live), files.map((file) => relative(file.path)).sort()]),
  );
}

const PARTS = [
  'log/audit.log',
  `log/audit-${STAMP}.log`,
  `log/audit-${STAMP}.log.gz`,
  'log/audit.log.1',
  'log/audit.log.2.gz',
  'log/audit.log-20261120',
  'log/audit.log.gz',
];

test('a live file is found with every rotated part beside it, and nothing else', async (t) => {
  const root = tree(
    t,
    ...PARTS,
    'log/other.log',
    'log/other.log.1',
    'log/audit.log.bak',
    'log/audit.logs',
    'log/xaudit.log',
  );
  assert.deepEqual(await found(root, 'log/audit.log'), { 'log/audit.log': PARTS.toSorted() });
});

test('rotated parts are found where the live file is missing, and their stream has its name', async (t) => {
  const root = tree(t, 'log/audit.log.1', `log/audit-${STAMP}.log`);
  assert.deepEqual(await found(root, 'log/audit.log'), {
    'log/audit.log': [`log/audit-${STAMP}.log`, 'log/audit.log.1'],
  });
  assert.deepEqual(await found(root, 'log'), { 'log/audit.log': [`log/audit-${STAMP}.log`, 'log/audit.log.1'] });
});

test('what a file is: live, gzip, its place and size', async (t) => {
  const root = tree(t, 'log/audit.log', 'log/audit.log.1.gz');
  const { streams, directories } = await discover({ path: path.join(root, 'log/audit.log'), exclude: [] });
  const [live, part] = streams[0]!.files.toSorted((a, b) => a.path.length - b.path.length);
  assert.deepEqual([live!.live, live!.gzip, part!.live, part!.gzip], [true, false, false, true]);
  const stat = fs.statSync(live!.path, { bigint: true });
  assert.deepEqual([live!.device, live!.inode, live!.changedNs], [stat.dev, stat.ino, stat.ctimeNs]);
  assert.equal(live!.size, 'log/audit.log'.length);
  assert.deepEqual(directories, [path.join(root, 'log')]);
});

test('a live file that is called like a gzip is read as the configuration says: it is live', async (t) => {
  const root = tree(t, 'log/audit.log.gz');
  const { streams } = await discover({ path: path.join(root, 'log/audit.log.gz'), exclude: [] });
  assert.deepEqual(
    streams.map(({ files }) => files.map(({ live, gzip }) => [live, gzip])),
    [[[true, false]]],
  );
});

test('a directory holds a stream for each live file; hidden and foreign files are none', async (t) => {
  const logs = ['d/a.log', 'd/a.log.1', 'd/b', 'd/b.1.gz', `d/c-${STAMP}.log.gz`];
  const others = ['d/.hidden.log', 'd/a.log~', 'd/a.log.pos', 'd/in_tail.db', 'd/in_tail.db-wal', 'd/in_tail.db-shm'];
  const more = ['d/.a.log.swp', 'd/x.tmp', 'd/x.lock', 'd/x.xz', 'd/x.zst', 'd/sub/', 'd/sub/deep.log'];
  const root = tree(t, ...logs, ...others, ...more);
  assert.deepEqual(await found(root, 'd'), {
    'd/a.log': ['d/a.log', 'd/a.log.1'],
    'd/b': ['d/b', 'd/b.1.gz'],
    'd/c.log': [`d/c-${STAMP}.log.gz`],
  });
});

test('a glob finds live files in several directories, with the rotated parts that it does not match', async (t) => {
  const root = tree(
    t,
    'n1/audit.log',
    'n1/audit.log.1',
    `n1/audit-${STAMP}.log`,
    'n2/audit.log',
    'n2/audit.log.1.gz',
    'n3/other.log',
  );
  assert.deepEqual(await found(root, '*/audit.log'), {
    'n1/audit.log': [`n1/audit-${STAMP}.log`, 'n1/audit.log', 'n1/audit.log.1'],
    'n2/audit.log': ['n2/audit.log', 'n2/audit.log.1.gz'],
  });
});

test('a glob that matches rotated names too finds the same, once', async (t) => {
  const root = tree(t, ...PARTS);
  assert.deepEqual(await found(root, 'log/audit*'), { 'log/audit.log': PARTS.toSorted() });
  assert.deepEqual(await found(root, 'log/*.{log,gz,1}'), { 'log/audit.log': PARTS.toSorted() });
});

test('excluded are base names for a glob without a slash, whole paths for one with', async (t) => {
  const root = tree(t, 'd/a.log', 'd/a.log.1', 'd/b.log', 'd/c.log');
  assert.deepEqual(await found(root, 'd', ['a.log*', path.join(root, 'd/b.*')]), { 'd/c.log': ['d/c.log'] });
  assert.deepEqual(await found(root, 'd', ['d/*', '*.LOG']), {
    'd/a.log': ['d/a.log', 'd/a.log.1'],
    'd/b.log': ['d/b.log'],
    'd/c.log': ['d/c.log'],
  });
  assert.deepEqual(await found(root, 'd/a.log', ['*.log.*']), { 'd/a.log': ['d/a.log'] });
});

test('a symlink to the live file is followed, and its parts are looked for beside its target', async (t) => {
  const root = tree(t, 'real/audit.log', 'real/audit.log.1', 'links/');
  fs.symlinkSync('../real/audit.log', path.join(root, 'links/current.log'));
  const expected = { 'links/current.log': ['links/current.log', 'real/audit.log.1'] };
  assert.deepEqual(await found(root, 'links/current.log'), expected);
  assert.deepEqual(await found(root, 'links'), expected);
  assert.deepEqual(await found(root, 'links/*.log'), expected);
  const { directories } = await discover({ path: path.join(root, 'links/current.log'), exclude: [] });
  assert.deepEqual(directories.toSorted(), [path.join(root, 'links'), path.join(root, 'real')]);
});

test('a symlink to a directory is that directory', async (t) => {
  const root = tree(t, 'real/a.log', 'real/a.log.1');
  fs.symlinkSync('real', path.join(root, 'link'));
  const { streams } = await discover({ path: path.join(root, 'link'), exclude: [] });
  assert.equal(streams.length, 1);
  assert.equal(streams[0]!.path, path.join(root, 'link/a.log'));
  const inodes = new Set(streams[0]!.files.map(({ inode }) => inode));
  assert.deepEqual(
    inodes,
    new Set(['a.log', 'a.log.1'].map((name) => fs.statSync(path.join(root, 'real', name), { bigint: true }).ino)),
  );
});

test('what is no regular file is no log: a directory, a FIFO, a dangling symlink, a loop', async (t) => {
  const root = tree(t, 'd/a.log', 'd/a.log.1/', 'd/b.log/');
  execFileSync('mkfifo', [path.join(root, 'd/fifo.log')]);
  fs.symlinkSync('nowhere', path.join(root, 'd/dangling.log'));
  assert.deepEqual(await found(root, 'd'), { 'd/a.log': ['d/a.log'] });
  assert.deepEqual(await found(root, 'd/fifo.log'), {});
});

test('nothing there yet: no streams, and the directory to be watched', async (t) => {
  const root = tree(t, 'log/');
  for (const source of ['log/audit.log', 'missing/audit.log', 'log', 'missing/*.log'])
    assert.deepEqual(await found(root, source), {}, source);
  const { directories } = await discover({ path: path.join(root, 'log/audit.log'), exclude: [] });
  assert.deepEqual(directories, [path.join(root, 'log')]);
});

test('a directory that may not be listed is an error with its code, not an empty one', async (t) => {
  const root = tree(t, 'log/audit.log');
  using calls = await FileCalls.intercept();
  calls.before((call) => {
    if (call === 'readdir')
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'scandir' });
  });
  for (const source of ['log', 'log/audit.log']) {
    await assert.rejects(discover({ path: path.join(root, source), exclude: [] }), { code: 'EACCES' }, source);
  }
});

test('files that vanish while they are looked at are left out', async (t) => {
  const names = ['d/a.log', 'd/b.log', 'd/c.log'];
  const root = tree(t, ...names);
  using calls = await FileCalls.intercept();
  calls.before((call) => {
    if (call === 'readdir') fs.rmSync(path.join(root, 'd/c.log'), { force: true });
    if (call === 'stat' && calls.count > 3) fs.rmSync(path.join(root, 'd/b.log'), { force: true });
  });
  const streams = await found(root, 'd');
  calls.before(undefined);
  assert.deepEqual(streams['d/a.log'], ['d/a.log']);
  assert.ok(!('d/c.log' in streams));
});

/** Renames a log to its next part. As many parts as are kept are there, so that numbers bring no new name. */
const ROTATIONS = {
  dated: (log: string, written: number) => fs.renameSync(log, `${log}.20261120-${100_000 + written}`),
  numbered: (log: string) => {
    for (let n = KEPT; n > 1; n -= 1)
      if (fs.existsSync(`${log}.${n - 1}`)) fs.renameSync(`${log}.${n - 1}`, `${log}.${n}`);
    fs.renameSync(log, `${log}.1`);
  },
};

const KEPT = 3;

for (const [style, renamed] of Object.entries(ROTATIONS)) {
  for (const source of ['log/0.log', 'log', 'log/*.log', 'link/0.log']) {
    test(`${source}, ${style}: whenever it is rotated, a look finds the file before each that it finds`, async (t) => {
      using calls = await FileCalls.intercept();
      let before = 0;
      do {
        before += 1;
        calls.before(undefined);
        const root = tree(t, 'log/', 'link/');
        const log = path.join(root, 'log/0.log');
        fs.symlinkSync(log, path.join(root, 'link/0.log'));
        let written = 0;
        /** Each file is one byte longer than the one before. */
        const write = () => fs.writeFileSync(log, 'x'.repeat(++written));
        const rotate = () => {
          renamed(log, written);
          write();
        };
        write();
        for (let n = 0; n < KEPT; n += 1) rotate();
        calls.before(async (_call, count) => {
          if (count !== before && count !== before + 2) return;
          // Calls that do not wait for this one are over by then.
          await delay(3);
          rotate();
        });
        const { streams } = await discover({ path: path.join(root, source), exclude: [] });
        // One that was renamed meanwhile may be found under both names.
        const sizes = [...new Set(streams.flatMap(({ files }) => files.map(({ size }) => size)))].sort((a, b) => a - b);
        // Of numbered parts the two rotations delete two.
        assert.ok(sizes.length >= KEPT + 1 - 2);
        assert.deepEqual(
          sizes,
          sizes.map((_, index) => sizes[0]! + index),
          `rotated before call ${before}`,
        );
      } while (calls.count > before && before < 100);
      assert.ok(before > 8, `${before} calls`);
    });
  }
}
