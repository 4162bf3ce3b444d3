import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMPRESSIONS } from '../../../src/config/types.ts';
import { CompressionPool } from '../../../src/sink/file/compression-pool.ts';
import { faultyIo, systemError } from '../faulty-io.ts';
import { committedLines, Harness, HOUR, programCat, readLines, T0, tempDir } from './archive-harness.ts';

/** Several files, several hours, blocks that fill up between commits, few descriptors, a late event. */
async function scenario(
  h: Harness,
  appended: (namespace: string, time: number, line: string) => void,
  commit: () => Promise<void>,
) {
  let serial = 0;
  for (let round = 0; round < 4; round += 1) {
    for (let i = 0; i < 12; i += 1) {
      const time = T0 + (round > 1 && i % 5 !== 0 ? HOUR : 0);
      const namespace = `n${i % 3}`;
      const line = `${serial++} ${String(Math.sin(serial)).repeat(i * 3)}`;
      h.append(namespace, line, time);
      appended(namespace, time, line);
    }
    await commit();
    if (round === 2) {
      // The first hour is finished, and the next round reopens it.
      h.now = T0 + HOUR + h.config.graceMs;
      await h.archive.maintain();
    }
  }
}

const SMALL = { blockBytes: 700, config: { maxOpenFiles: 2 } };

/** Threads of our own, which a catch-up has; libuv's otherwise. */
const ownThreads = new CompressionPool(2, { backlogBytes: 1 });
const libuvThreads = new CompressionPool(2, { backlogBytes: Number.POSITIVE_INFINITY });

const KINDS = [
  { compress: 'gzip', durability: 'process', pool: libuvThreads },
  { compress: 'gzip', durability: 'disk', pool: ownThreads },
  { compress: 'zstd', durability: 'disk', pool: ownThreads },
] as const;

for (const { compress, durability, pool } of KINDS) {
  const small = { ...SMALL, pool, config: { ...SMALL.config, compress } };
  test(`a crash before any file call that changes something leaves what the last commit held (${compress}, ${durability})`, async (t) => {
    const root = tempDir(t);
    const copies: { at: string; expected: Map<string, string[]>; where: string }[] = [];
    let committed = new Map<string, string[]>();
    let pending: [string, string][] = [];
    const io = faultyIo((call, count) => {
      if (['lstat', 'fstat', 'read', 'readdir', 'close'].includes(call)) return;
      const where = path.join(root, `copy-${count}`);
      for (const part of ['out', 'state']) {
        const from = path.join(root, 'live', part);
        if (fs.existsSync(from)) fs.cpSync(from, path.join(where, part), { recursive: true });
      }
      copies.push({ at: `${call} ${count}`, expected: structuredClone(committed), where });
    });
    const h = new Harness(path.join(root, 'live'), { ...small, durability, io });
    await h.start();
    await scenario(
      h,
      (namespace, time, line) => pending.push([h.file(namespace, time), line]),
      async () => {
        await h.commit();
        committed = structuredClone(committed);
        for (const [file, line] of pending) committed.set(file, [...(committed.get(file) ?? []), line]);
        pending = [];
      },
    );
    await h.archive.close();
    h.db.close();
    assert.ok(copies.length > 60, `${copies.length} file calls`);

    for (const [index, { at, expected, where }] of copies.entries()) {
      // Copies have other inodes than the originals that the database knows.
      const crashed = new Harness(where, small);
      crashed.create();
      adoptCopies(crashed, path.join(root, 'live'));
      const inHere = new Map([...expected].map(([file, lines]) => [moved(file, root, where), lines]));
      for (const [file, lines] of committedLines(crashed.records)) {
        if (inHere.has(file)) assert.deepEqual(lines, inHere.get(file), `${file} at ${at}`);
        else assert.deepEqual(lines, []);
      }
      await crashed.archive.start();
      assert.deepEqual(
        crashed.files(),
        [...inHere.keys()].map((file) => path.basename(file)).sort(),
        `files after a crash at ${at}`,
      );
      for (const [file, lines] of inHere) {
        assert.deepEqual(readLines(file), lines, `${file} after a crash at ${at}`);
        if (index % 16 === 0) programCat(file);
      }
      // The archive goes on from there.
      crashed.append('n0', 'after the crash');
      await crashed.commit();
      assert.deepEqual(readLines(crashed.file('n0')), [...(inHere.get(crashed.file('n0')) ?? []), 'after the crash']);
      await crashed.archive.close();
      crashed.db.close();
      fs.rmSync(where, { recursive: true });
    }
  });
}

/** Gives the records of a copied state the paths and inodes of the copied files. */
function adoptCopies(h: Harness, original: string): void {
  for (const { id, path: file } of h.db.prepare('SELECT id, path FROM archives').all() as {
    id: number;
    path: string;
  }[]) {
    const here = path.join(h.root, path.relative(original, file));
    h.db.prepare('UPDATE archives SET path = ?, wanted_path = ? WHERE id = ?').run(here, here, id);
    if (!fs.existsSync(here)) continue;
    const stat = fs.lstatSync(here, { bigint: true });
    h.db
      .prepare('UPDATE archives SET device = ?, inode = ? WHERE id = ? AND inode IS NOT NULL')
      .run(String(stat.dev), String(stat.ino), id);
  }
}

function moved(file: string, root: string, where: string): string {
  return path.join(where, path.relative(path.join(root, 'live'), file));
}

/** All n take a while; a few of them are enough on most days. */
const STEP = process.env.AUDITAIL_FUZZ_RUNS === undefined ? 4 : 1;

for (const { every, compress } of [false, true].flatMap((every) =>
  COMPRESSIONS.filter((one) => one !== 'none').map((compress) => ({ every, compress })),
)) {
  const small = { ...SMALL, pool: every ? ownThreads : libuvThreads, config: { ...SMALL.config, compress } };
  test(`${compress}: a fault at ${every ? 'every n-th file call' : 'the n-th file call'}: rewind, read again, nothing lost or repeated`, async (t) => {
    const root = tempDir(t);
    // Failing more often than a rewind and a commit take calls would never end.
    for (let n = every ? 200 : 1, over = false; !over; n += every ? 17 : STEP) {
      let calls = 0;
      const io = faultyIo((call, count) => {
        calls = count;
        // A descriptor is gone after a failed close too, so the real call must not be left out.
        if (call === 'close' || (every ? count % n !== 0 : count !== n)) return;
        throw systemError(['EIO', 'ENOSPC', 'EDQUOT'][n % 3]!);
      });
      const h = new Harness(path.join(root, String(n)), { ...small, durability: 'disk', io });
      h.create();
      await untilDone(() => h.archive.start());
      const expected = new Map<string, string[]>();
      let pending: { namespace: string; time: number; line: string }[] = [];
      const commit = async () => {
        await untilDone(async () => {
          if (h.failures.length > 0) {
            h.failures.length = 0;
            await untilDone(() => h.archive.rewind());
            for (const { namespace, time, line } of pending) h.append(namespace, line, time);
          }
          await h.commit();
        });
        for (const { namespace, time, line } of pending) {
          const file = h.file(namespace, time);
          expected.set(file, [...(expected.get(file) ?? []), line]);
        }
        pending = [];
      };
      await scenario(h, (namespace, time, line) => pending.push({ namespace, time, line }), commit);
      for (const [file, lines] of expected) assert.deepEqual(readLines(file), lines, `${file} with a fault at ${n}`);
      assert.equal(h.files().length, expected.size, `a fault at ${n}`);
      assert.equal(h.budget.used, 0);
      await h.archive.close();
      h.db.close();
      over = every ? n > 400 : calls < n;
    }
  });
}

async function untilDone(work: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt > 50) throw error;
    }
  }
}
