import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { compareArchive } from '../helpers/archive-reader.ts';
import { assertExact, HOUR_NAME, HOUR_START, Scene } from './scene.ts';

/** What may stand behind the last commit with the commits of {@link smallCommits}: two of them, and 16 MiB. */
const TAIL_LIMIT = 2 * (4 + 64) * 1024 + 16 * 1024 * 1024;

function smallCommits(scene: Scene): Record<string, unknown> {
  return scene.config({
    commit: { interval: '50ms', bytes: '4KiB', durability: 'process' },
    source: { max_line_bytes: '64KiB' },
    sink: { compress: 'none', path: join(scene.archive, 'audit-${tag[1..]}.%Y%m%d%H.log') },
  });
}

/** Sizes of the files of an archive that all have one hour. */
function sizes(directory: string): Record<string, number> {
  return Object.fromEntries(readdirSync(directory).map((name) => [name, statSync(join(directory, name)).size]));
}

/** Copies the state as it is now; gives what puts the copy in its place. */
function copyState(scene: Scene): () => void {
  const copy = `${scene.state}.copy`;
  cpSync(scene.state, copy, { recursive: true });
  return () => {
    rmSync(scene.state, { recursive: true });
    cpSync(copy, scene.state, { recursive: true });
  };
}

describe('a state that was restored from an old copy', () => {
  test('less than one commit behind: cut, kept, and read again', async () => {
    await using scene = new Scene();
    const config = smallCommits(scene);
    scene.write(100, { filler: 1000 });
    assert.equal((await scene.runToEnd({ config })).code, 0);
    const before = Object.values(sizes(scene.archive))[0]!;
    const restore = copyState(scene);
    scene.write(5000, { filler: 1000 });
    assert.equal((await scene.runToEnd({ config })).code, 0);
    const file = join(scene.archive, `audit-team-a.${HOUR_NAME}.log`);
    const newest = readFileSync(file);

    restore();
    const { code, log } = await scene.runToEnd({ config });
    assert.equal(code, 0);
    const cut = log.find(({ message }) => message === 'archive file cut to the last commit');
    assert.ok(readFileSync(String(cut?.copy)).equals(newest.subarray(before)));
    await scene.assertExact();
  });

  test('more than one commit behind: refused with nothing changed, and the command that is named resolves it', async () => {
    await using scene = new Scene();
    const config = smallCommits(scene);
    scene.write(100, { filler: 1000 });
    assert.equal((await scene.runToEnd({ config })).code, 0);
    const before = Object.values(sizes(scene.archive))[0]!;
    const restore = copyState(scene);
    const filler = 60_000;
    scene.write(Math.ceil(TAIL_LIMIT / filler), { filler });
    scene.write(10);
    assert.equal((await scene.runToEnd({ config })).code, 0);
    const newest = sizes(scene.archive);
    assert.ok(Object.values(newest)[0]! - before > TAIL_LIMIT);

    restore();
    const { code, log } = await scene.runToEnd({ config });
    assert.equal(code, 1);
    const sentence = String(log.at(-1)?.text);
    assert.match(sentence, /^auditail: the state is not that of the archive .* bytes behind the last commit/);
    assert.deepEqual(sizes(scene.archive), newest);
    await scene.assertExact();
    assert.equal(existsSync(join(scene.state, 'cut', 'archive')), false);

    // With the archive out of the way, what the old state lacks is archived once more beside it.
    execFileSync('sh', ['-c', sentence.split('with: ').at(-1)!]);
    assert.equal((await scene.runToEnd({ config })).code, 0);
    const again = await scene.compare();
    assert.deepEqual([again.lost, again.duplicated, again.foreign], [100, 0, 0]);
    const moved = readdirSync(scene.root).find((name) => name.startsWith('archive.'))!;
    assertExact(await compareArchive(join(scene.root, moved), scene.writer.expected));
  });

  test('hours that it does not know are left alone, and their lines go to siblings', async () => {
    await using scene = new Scene();
    scene.write(50);
    assert.equal((await scene.runToEnd()).code, 0);
    const restore = copyState(scene);
    scene.write(50, { timeMs: HOUR_START + 3_600_000 });
    scene.writer.rotate('rename-gzip');
    scene.write(50, { timeMs: HOUR_START + 7_200_000 });
    assert.equal((await scene.runToEnd()).code, 0);
    const before = await contents(scene.archive);

    restore();
    const { code, log } = await scene.runToEnd();
    assert.equal(code, 0);
    assert.ok(log.some(({ message }) => /taken by something unknown/.test(String(message))));
    const after = await contents(scene.archive);
    for (const [name, content] of before) assert.equal(after.get(name), content, name);
    const { lost, foreign, duplicated, files } = await scene.compare();
    assert.deepEqual({ lost, foreign, duplicated }, { lost: 0, foreign: 0, duplicated: 100 });
    assert.deepEqual(
      files.map(({ damage }) => damage).filter((damage) => damage !== undefined),
      [],
    );
  });
});

async function contents(directory: string): Promise<Map<string, string>> {
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
}

test('the state with another archive path: what is archived stays, what comes goes to the new place', async () => {
  await using scene = new Scene();
  scene.write(50);
  assert.equal((await scene.runToEnd()).code, 0);
  const before = await contents(scene.archive);
  scene.write(50);
  const second = join(scene.root, 'second');
  const config = scene.config({ sink: { path: join(second, '${tag[1..]}.%Y%m%d%H.log.gz') } });
  assert.equal((await scene.runToEnd({ config })).code, 0);
  assert.deepEqual(await contents(scene.archive), before);
  cpSync(second, join(scene.archive, 'second'), { recursive: true });
  await scene.assertExact();
});

describe('sinks that come and go between runs', () => {
  const sink = (scene: Scene, name: string) => ({
    name,
    type: 'file',
    path: join(scene.root, name, 'audit-${tag[1..]}.%Y%m%d%H.log.gz'),
  });
  const runWith = async (scene: Scene, names: readonly string[]): Promise<void> => {
    const config = scene.config({ sinks: names.map((name) => sink(scene, name)) });
    const { code, log } = await scene.runToEnd({ config });
    assert.equal(code, 0, JSON.stringify(log));
  };

  test('a new one gets all that is still there, others nothing twice, and one that was away what it missed', async () => {
    await using scene = new Scene();
    scene.write(50);
    scene.writer.rotate('rename-gzip');
    scene.write(50);
    const gone = scene.writer.rotate('rename');
    scene.write(50);
    await runWith(scene, ['one']);
    // Archived by the first, and not there any more for the second.
    rmSync(gone);
    await runWith(scene, ['one', 'two']);
    const compare = (name: string) => compareArchive(join(scene.root, name), scene.writer.expected);
    assertExact(await compare('one'));
    const second = await compare('two');
    assert.deepEqual([second.archived, second.lost, second.duplicated, second.foreign], [100, 50, 0, 0]);

    scene.write(50);
    scene.writer.rotate('rename');
    scene.write(50);
    await runWith(scene, ['two']);
    await runWith(scene, ['three', 'two', 'one']);
    await runWith(scene, ['one', 'three', 'two']);
    assertExact(await compare('one'));
    for (const name of ['two', 'three']) {
      const { archived, lost, duplicated, foreign } = await compare(name);
      assert.deepEqual([archived, lost, duplicated, foreign], [200, 50, 0, 0], name);
    }
  });

  test('a new name on an old path takes siblings and leaves the files of the old name alone', async () => {
    await using scene = new Scene();
    scene.write(50);
    assert.equal((await scene.runToEnd()).code, 0);
    const before = await contents(scene.archive);
    scene.write(50);
    assert.equal((await scene.runToEnd({ config: scene.config({ sink: { name: 'renamed' } }) })).code, 0);
    const after = await contents(scene.archive);
    for (const [name, content] of before) assert.equal(after.get(name), content, name);
    const { lost, duplicated } = await scene.compare();
    assert.deepEqual({ lost, duplicated }, { lost: 0, duplicated: 50 });
  });
});
