import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RotatingWriter } from '../helpers/rotating-writer.ts';
import { HOUR_NAME, Scene } from './scene.ts';
import { SmallDisk, whyNoSmallDisk } from './small-disk.ts';

const BACK = 'writing failed: back to the last commit; nothing is lost, the log itself is the buffer';
const WORKS = 'writing works again';

/** uid of nobody. */
const NOBODY = 65_534;

/** Most kills leave something behind the last commit. */
const MAX_KILLS = 20;

const whyNoDisk = whyNoSmallDisk();

describe('no space left', { skip: whyNoDisk }, () => {
  for (const [what, place] of [
    ['archive', 'archive'],
    ['state', 'state'],
  ] as const) {
    test(`on the file system of the ${what}: a pause, an alarm, and recovery`, async () => {
      using disk = new SmallDisk(4);
      await using scene = new Scene({ [place]: join(disk.path, place) });
      await using agent = scene.start();
      scene.write(100);
      await scene.archived(agent);
      disk.fill();
      scene.write(2000, { namespace: 'team-b', filler: 1000 });
      await agent.waitFor('the alarm', () => agent.findLog(BACK) !== undefined);
      assert.match(String(agent.findLog(BACK)!.error), /no space|disk is full|ENOSPC/i);
      scene.write(100, { namespace: 'team-c' });
      assert.equal(agent.findLog(WORKS), undefined);
      disk.free();
      await scene.archived(agent);
      await agent.waitFor('the end of the alarm', () => agent.findLog(WORKS) !== undefined);
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      await scene.assertExact();
    });
  }

  test('on the file system of the archive, when the agent is killed and started again', async () => {
    using disk = new SmallDisk(4);
    await using scene = new Scene({ archive: join(disk.path, 'archive') });
    await fillAndKill(scene, disk);
    await failAndKill(scene);
    disk.free();
    assert.equal((await scene.runToEnd()).code, 0);
    await scene.assertExact();
  });

  test('on the file system of the state, when a start has to keep what it cuts off', async () => {
    using disk = new SmallDisk(4);
    await using scene = new Scene({ state: join(disk.path, 'state') });
    // No file is new: a state that cannot take one fails before anything is written.
    const { file, size } = await fillAndKill(scene, disk, ['team-a']);
    // The kill may have come before anything was written behind the commit, or after that was cut off again.
    for (let kills = 1; statSync(file).size === size; kills += 1) {
      assert.ok(kills < MAX_KILLS, `${kills} kills left nothing behind the commit`);
      await failAndKill(scene);
    }
    // What the killed agent gave back.
    disk.fill();
    const before = readFileSync(file);
    const { code, log } = await scene.runToEnd();
    assert.equal(code, 1);
    assert.match(String(log.at(-1)?.text), /^auditail: cannot copy what a crash left .*no space.*start again$/);
    assert.ok(readFileSync(file).equals(before));
    assert.deepEqual(readdirSync(join(scene.state, 'cut', 'archive')), []);
    disk.free();
    assert.equal((await scene.runToEnd()).code, 0);
    await scene.assertExact();
  });
});

/** Kills an agent whose disk is full, with more to write. Gives an archive file, and its size at its last commit. */
async function fillAndKill(
  scene: Scene,
  disk: SmallDisk,
  namespaces: readonly string[] = ['team-a', 'team-b'],
): Promise<{ file: string; size: number }> {
  await using agent = scene.start();
  scene.write(100);
  await scene.committed(agent);
  const file = join(scene.archive, `audit-team-a.${HOUR_NAME}.log.gz`);
  const { size } = statSync(file);
  disk.fill();
  for (const namespace of namespaces) scene.write(500, { namespace, filler: 1000 });
  await agent.waitFor('the alarm', () => agent.findLog(BACK) !== undefined);
  await agent.kill();
  return { file, size };
}

async function failAndKill(scene: Scene): Promise<void> {
  await using agent = scene.start();
  await agent.waitFor('the alarm', () => agent.findLog(BACK) !== undefined);
  await agent.kill();
}

describe('read-only and missing places', () => {
  test('a read-only file system for the archive: recovery when it can be written to', { skip: whyNoDisk }, async () => {
    using disk = new SmallDisk(8);
    await using scene = new Scene({ archive: join(disk.path, 'archive') });
    scene.write(100);
    disk.remount('ro');
    await using agent = scene.start();
    await agent.waitFor('the alarm', () => agent.findLog(BACK) !== undefined);
    assert.match(String(agent.findLog(BACK)!.error), /EROFS|read-only/i);
    disk.remount('rw');
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    await scene.assertExact();
  });

  test('a read-only file system for the state: refused with one sentence', { skip: whyNoDisk }, async () => {
    using disk = new SmallDisk(8);
    await using scene = new Scene({ state: join(disk.path, 'state') });
    scene.write(10);
    assert.equal((await scene.runToEnd()).code, 0);
    disk.remount('ro');
    const { code, log } = await scene.runToEnd();
    assert.equal(code, 1);
    assert.match(String(log.at(-1)?.text), /^auditail: cannot .*state/);
    disk.remount('rw');
    scene.write(10);
    assert.equal((await scene.runToEnd()).code, 0);
    await scene.assertExact();
  });

  test('the log directory vanishes and comes back', async () => {
    await using scene = new Scene();
    await using agent = scene.start();
    scene.write(50);
    await scene.archived(agent);
    const directory = join(scene.root, 'log');
    rmSync(directory, { recursive: true });
    scene.write(50);
    await agent.waitFor('a word about it', () => agent.findLog(/^the live log file was deleted/) !== undefined);
    await scene.archived(agent);
    mkdirSync(directory);
    scene.writer.reopen();
    scene.write(50);
    await scene.archived(agent);
    scene.writer.rotate('rename');
    scene.write(50);
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    await scene.assertExact();
  });

  test('the log directory is not there yet', async () => {
    await using scene = new Scene();
    const directory = join(scene.root, 'later');
    await using agent = scene.start({ config: scene.config({ source: { path: join(directory, 'audit.log') } }) });
    await agent.waitFor('a word about it', () => agent.findLog(/no log found yet/) !== undefined);
    mkdirSync(directory);
    const writer = new RotatingWriter(join(directory, 'audit.log'));
    writer.writeLines(['{"a":1}']);
    await agent.waitFor('its line', async () => {
      try {
        return (await scene.compare(writer.expected)).lost === 0;
      } catch {
        return false;
      }
    });
    writer.close();
  });

  test('the archive directory vanishes while the agent runs, and while it is down', async () => {
    await using scene = new Scene();
    scene.write(50);
    await using agent = scene.start();
    await scene.committed(agent);
    const first = `${scene.archive}.first`;
    renameSync(scene.archive, first);
    scene.write(50);
    // What was committed is in the directory that was taken away, what came later in a new one.
    await agent.waitFor('a new directory', async () => (await linesIn(scene)) === 50);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    const second = `${scene.archive}.second`;
    renameSync(scene.archive, second);
    scene.write(50);
    assert.equal((await scene.runToEnd()).code, 0);
    mkdirSync(join(scene.archive, 'all'));
    for (const from of [first, second]) renameSync(from, join(scene.archive, 'all', from.split('.').at(-1)!));
    await scene.assertExact();
  });
});

async function linesIn(scene: Scene): Promise<number> {
  try {
    return (await scene.compare()).archived;
  } catch {
    return 0;
  }
}

describe('a log that cannot be read', { skip: whyNotAsNobody() }, () => {
  const through = ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];

  function openToNobody(scene: Scene): void {
    chmodSync(scene.root, 0o755);
    for (const path of [scene.state, scene.archive]) {
      mkdirSync(path);
      chownSync(path, NOBODY, NOBODY);
    }
  }

  test('exit code 1 with the way out, and all else is archived; later it is read', async () => {
    await using scene = new Scene();
    openToNobody(scene);
    const other = new RotatingWriter(join(scene.root, 'log', 'other.log'));
    chmodSync(other.path, 0o644);
    scene.write(20);
    other.writeLines(['{"other":1}', '{"other":2}']);
    const config = scene.config({ source: { path: join(scene.root, 'log') } });
    const { code, log } = await scene.runToEnd({ config, through });
    assert.equal(code, 1);
    const last = String(log.at(-1)?.text);
    assert.match(last, /^auditail: could not read .*audit\.log/);
    assert.match(last, /CAP_DAC_READ_SEARCH/);
    assert.equal((await scene.compare(other.expected)).lost, 0);

    chmodSync(scene.log, 0o644);
    assert.equal((await scene.runToEnd({ config, through })).code, 0);
    const all = scene.writer.expected;
    for (const line of ['{"other":1}', '{"other":2}']) scene.writer.writeLines([line]);
    assert.deepEqual([(await scene.compare(all)).lost, (await scene.compare(all)).duplicated], [0, 0]);
    other.close();
  });

  test('a directory that cannot be searched: told, and read when it can be', async () => {
    await using scene = new Scene();
    openToNobody(scene);
    chmodSync(scene.log, 0o644);
    chmodSync(join(scene.root, 'log'), 0o700);
    scene.write(20);
    assert.equal((await scene.runToEnd({ through })).code, 1);
    await using agent = scene.start({ through });
    await agent.waitFor('a word about it', () => agent.findLog(/cannot read/) !== undefined);
    chmodSync(join(scene.root, 'log'), 0o755);
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    await scene.assertExact();
  });
});

function whyNotAsNobody(): string | false {
  if (process.getuid?.() !== 0) return 'only root can run the agent as another user';
  try {
    execFileSync('setpriv', [
      '--reuid',
      `${NOBODY}`,
      '--regid',
      `${NOBODY}`,
      '--clear-groups',
      process.execPath,
      '-e',
      '',
    ]);
    return false;
  } catch (error) {
    return `cannot run Node as another user: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}
