import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { readLines } from '../helpers/archive-reader.ts';
import { DamagedGzip } from '../helpers/gzip-reader.ts';
import { hashLine } from '../helpers/line-multiset.ts';
import { HOUR_NAME, Scene } from './scene.ts';

const THEIRS = Buffer.from('a file of somebody else\n');

interface Tampering {
  readonly what: string;
  /** `aside` is a place outside the archive. */
  readonly tamper: (file: string, aside: string) => void;
  /** Where the committed content is afterwards; `lost`: whoever did this destroyed it. */
  readonly content: 'aside' | 'in place' | 'lost';
  /** What is appended and not noticed as a change is cut, and kept. */
  readonly cut?: true;
}

function replacedBy(what: string, place: Tampering['tamper']): Tampering {
  return {
    what: `replaced by ${what}`,
    tamper: (file, aside) => {
      renameSync(file, aside);
      place(file, aside);
    },
    content: 'aside',
  };
}

const TAMPERINGS: readonly Tampering[] = [
  { what: 'deleted', tamper: (file) => unlinkSync(file), content: 'lost' },
  { what: 'moved', tamper: (file, aside) => renameSync(file, aside), content: 'aside' },
  replacedBy('another file', (file) => writeFileSync(file, THEIRS)),
  {
    what: 'replaced by a longer copy of itself',
    tamper: (file, aside) => {
      copyFileSync(file, aside);
      appendFileSync(aside, THEIRS);
      renameSync(aside, file);
    },
    content: 'in place',
  },
  replacedBy('a symlink to a file of somebody else', (file, aside) => {
    writeFileSync(`${aside}.theirs`, THEIRS);
    symlinkSync(`${aside}.theirs`, file);
  }),
  replacedBy('a symlink to itself, moved', (file, aside) => symlinkSync(aside, file)),
  replacedBy('a dangling symlink', (file, aside) => symlinkSync(`${aside}.nowhere`, file)),
  replacedBy('a directory', (file) => mkdirSync(file)),
  { what: 'emptied', tamper: (file) => truncateSync(file), content: 'lost' },
  { what: 'cut in the middle', tamper: (file) => truncateSync(file, statSync(file).size >> 1), content: 'lost' },
];

/** Inode, kind and content, by its hash, of everything below a directory. */
function snapshot(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stat = lstatSync(path);
    const content = stat.isSymbolicLink()
      ? readlinkSync(path)
      : stat.isFile()
        ? hashLine(readFileSync(path)).toString('hex')
        : 'directory';
    found.set(name, `${stat.ino} ${stat.mode} ${content}`);
  }
  return found;
}

type When = 'while the agent runs' | 'while the agent is down';

/** Archives 30 more lines, and lets `disturb` do its work at that moment; the agent is the one that runs afterwards. */
async function disturbed<T>(
  scene: Scene,
  when: When,
  disturb: () => T | Promise<T>,
): Promise<{ agent: AgentProcess; result: T }> {
  const agent = scene.start();
  scene.write(30);
  await scene.committed(agent);
  if (when === 'while the agent is down') await agent.stop();
  const result = await disturb();
  return { agent: when === 'while the agent is down' ? scene.start() : agent, result };
}

for (const when of ['while the agent runs', 'while the agent is down'] as const) {
  describe(`an archive file is tampered with ${when}`, { concurrency: 2 }, () => {
    for (const { what, tamper, content } of TAMPERINGS) {
      test(`${what}: it is left alone, and a sibling takes what comes later`, async () => {
        await using scene = new Scene();
        const elsewhere = join(scene.root, 'elsewhere');
        mkdirSync(elsewhere);
        const file = join(scene.archive, `audit-team-a.${HOUR_NAME}.log.gz`);
        const aside = join(elsewhere, 'aside.log.gz');
        scene.write(30, { namespace: 'team-b' });
        const { agent, result } = await disturbed(scene, when, async () => {
          const before = await linesOf(file);
          tamper(file, aside);
          return { before, theirs: [snapshot(elsewhere), snapshot(scene.archive).get(basename(file))] };
        });
        const { before, theirs } = result;

        scene.write(30);
        const sibling = join(scene.archive, `audit-team-a.${HOUR_NAME}.1.log.gz`);
        await agent.waitFor('a sibling', async () => (await linesOf(sibling, { growing: true })).length === 30);
        assert.ok(agent.findLog(/^an archive file was changed by somebody else/) !== undefined);
        assert.deepEqual(await agent.stop(), { code: 0, signal: null });
        assert.deepEqual([snapshot(elsewhere), snapshot(scene.archive).get(basename(file))], theirs);

        scene.write(30);
        assert.equal((await scene.runToEnd()).code, 0);
        assert.equal((await linesOf(sibling)).length, 60);
        assert.deepEqual([snapshot(elsewhere), snapshot(scene.archive).get(basename(file))], theirs);

        const other = join(scene.archive, `audit-team-b.${HOUR_NAME}.log.gz`);
        const first = content === 'aside' ? await linesOf(aside) : before;
        const { expected } = scene.writer;
        expected.clearFound();
        for (const line of [...first, ...(await linesOf(sibling)), ...(await linesOf(other))]) {
          assert.equal(expected.find(hashLine(line)), 'expected', line);
        }
        assert.deepEqual([...expected.missing()], []);
      });
    }

    test('somebody appends to it: what they wrote is cut off and kept', async () => {
      await using scene = new Scene();
      const file = join(scene.archive, `audit-team-a.${HOUR_NAME}.log.gz`);
      const { agent, result: before } = await disturbed(scene, when, () => {
        const content = readFileSync(file);
        appendFileSync(file, THEIRS);
        return content;
      });
      scene.write(30);
      await scene.archived(agent);
      const cut = join(scene.state, 'cut', 'archive');
      const kept = readdirSync(cut).map((name) => readFileSync(join(cut, name)));
      assert.equal(kept.length, 1);
      // With the trailer, which is rewritten.
      const trailer = before.subarray(-(kept[0]!.length - THEIRS.length));
      assert.ok(kept[0]!.equals(Buffer.concat([trailer, THEIRS])));
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      await scene.assertExact();
    });

    test('bytes in its middle are changed: no byte of it is touched, and later lines can be read', async () => {
      await using scene = new Scene();
      const file = join(scene.archive, `audit-team-a.${HOUR_NAME}.log.gz`);
      const { agent, result: edited } = await disturbed(scene, when, () => {
        const fd = openSync(file, 'r+');
        writeSync(fd, THEIRS, 0, 10, 30);
        closeSync(fd);
        return readFileSync(file);
      });
      scene.write(30, { namespace: 'team-b' });
      scene.write(30);
      await agent.waitFor('growth', () => statSync(file).size > edited.length);
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      // All but the final block and trailer, behind which the file goes on.
      assert.ok(
        readFileSync(file)
          .subarray(0, edited.length - 10)
          .equals(edited.subarray(0, -10)),
      );
    });
  });
}

for (const [what, place] of [
  ['another file', (file: string) => writeFileSync(file, THEIRS)],
  ['a gzip file', (file: string) => writeFileSync(file, gzipSync(THEIRS))],
  ['a symlink', (file: string) => symlinkSync('theirs', file)],
] as const) {
  test(`${what} takes the path of a file that was created and not committed when the agent was killed`, async () => {
    await using scene = new Scene();
    const file = join(scene.archive, `audit-team-a.${HOUR_NAME}.log.gz`);
    const agent = scene.start({ config: scene.config({ commit: { interval: '1h', bytes: '1GiB' } }) });
    // More than a block, which is written before a commit.
    scene.write(5000, { filler: 1000 });
    await agent.waitFor('a file', () => existsSync(file) && statSync(file).size > 0);
    await agent.kill();
    unlinkSync(file);
    place(file);
    const theirs = snapshot(scene.archive);
    assert.equal((await scene.runToEnd()).code, 0);
    assert.deepEqual(snapshot(scene.archive).get(basename(file)), theirs.get(basename(file)));
    unlinkSync(file);
    await scene.assertExact();
  });
}

/** @param options.growing the end of the file may be torn. */
async function linesOf(file: string, options: { growing?: boolean } = {}): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const { bytes } of readLines(file)) lines.push(bytes.toString());
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isAbsent && !(options.growing === true && error instanceof DamagedGzip)) throw error;
  }
  return lines;
}
