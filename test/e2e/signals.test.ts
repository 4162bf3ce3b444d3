import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { AgentProcess, LogLine } from '../helpers/agent-process.ts';
import { Scene } from './scene.ts';
import { SmallDisk, whyNoSmallDisk } from './small-disk.ts';

const OK = { code: 0, signal: null };
const WRITES_FAIL = /^writing failed/;

/** A configuration that does not commit by itself for as long as a test takes. */
function patient(scene: Scene, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return scene.config({ commit: { interval: '1h', bytes: '1GiB' }, ...changes });
}

async function running(agent: AgentProcess): Promise<void> {
  await agent.waitFor('the agent to run', () => agent.findLog('auditail runs') !== undefined);
}

describe('SIGTERM and SIGINT', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} commits what was read, and ends with exit code 0`, async () => {
      await using scene = new Scene();
      scene.write(3000, { filler: 500 });
      const agent = scene.start({ config: patient(scene) });
      await agent.waitFor('the log to be read', () => agent.findLog('reading a log file') !== undefined);
      // Whatever was read by now is committed; the rest is read at the next start.
      agent.signal(signal);
      assert.deepEqual(await agent.exited, OK);
      assert.ok(agent.findLog('auditail stopped: everything that was read is committed') !== undefined);
      const { archived, duplicated, foreign } = await scene.compare();
      assert.ok(archived > 0, 'nothing was committed');
      assert.deepEqual({ duplicated, foreign }, { duplicated: 0, foreign: 0 });
      assert.equal((await scene.runToEnd()).code, 0);
      await scene.assertExact();
    });
  }

  test('a second signal ends the agent at once, and nothing is lost or repeated', async () => {
    await using scene = new Scene();
    scene.write(20_000, { filler: 1500 });
    for (let round = 0; round < 3; round += 1) {
      const agent = scene.start({ config: patient(scene, { shutdown_timeout: '1h' }) });
      await running(agent);
      agent.signal('SIGTERM');
      await agent
        .waitFor('the first signal to be seen', () => agent.findLog(/^stopping/) !== undefined)
        .catch(() => {});
      agent.signal(round === 0 ? 'SIGINT' : 'SIGTERM');
      const { code, signal } = await agent.exited;
      // Where it was done before the second one arrived, that one found nobody, or did what a signal does by itself.
      const wasDone = agent.findLog(/^auditail stopped/) !== undefined;
      if (code === 1) assert.ok(agent.findLog(/^exiting at once/) !== undefined);
      else assert.ok(wasDone && (code === 0 || signal !== null), `${signal ?? code}`);
    }
    assert.equal((await scene.runToEnd()).code, 0);
    await scene.assertExact();
  });

  test('shutdown_timeout ends an agent whose disk does not come back', { skip: whyNoSmallDisk() }, async () => {
    using disk = new SmallDisk(4);
    await using scene = new Scene({ archive: join(disk.path, 'archive') });
    disk.fill();
    scene.write(100);
    const agent = scene.start({ config: scene.config({ shutdown_timeout: '1s' }) });
    await agent.waitFor('the alarm', () => agent.findLog(WRITES_FAIL) !== undefined);
    assert.deepEqual(await agent.stop(), { code: 1, signal: null });
    disk.free();
    assert.equal((await scene.runToEnd()).code, 0);
    await scene.assertExact();
  });
});

describe('SIGHUP', () => {
  test('a changed configuration applies, each line in one place', async () => {
    await using scene = new Scene();
    const agent = scene.start();
    scene.write(50);
    await scene.archived(agent);
    const deeper = scene.config({ sink: { path: join(scene.archive, 'deeper', '${tag[1..]}.%Y%m%d%H.log.gz') } });
    agent.reconfigure(deeper);
    agent.signal('SIGHUP');
    await agent.waitFor('the new one', () => agent.findLog('the new configuration applies') !== undefined);
    scene.write(50);
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), OK);
    const { files } = await scene.assertExact();
    assert.deepEqual(
      files.map(({ file, events }) => [file, events]),
      [
        ['audit-team-a.2024050607.log.gz', 50],
        ['deeper/team-a.2024050607.log.gz', 50],
      ],
    );
  });

  test('while lines are written, again and again', async () => {
    await using scene = new Scene();
    const agent = scene.start();
    await running(agent);
    for (let round = 0; round < 8; round += 1) {
      scene.write(200);
      if (round % 3 === 2) scene.writer.rotate('rename');
      agent.reconfigure(scene.config({ sink: { max_open_files: 10 + round } }));
      agent.signal('SIGHUP');
      if (round % 2 === 0) agent.signal('SIGHUP');
      const applied = () => agent.log.filter(({ message }) => message === 'the new configuration applies').length;
      await agent.waitFor('the new one', () => applied() > round);
    }
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), OK);
    await scene.assertExact();
  });

  test('a broken configuration is refused, with every error, and the old one stays', async () => {
    await using scene = new Scene();
    const agent = scene.start();
    scene.write(50);
    await scene.archived(agent);
    const refused: LogLine[] = [];
    for (const broken of [
      'sources: [',
      '',
      JSON.stringify(scene.config({ threads: 0, mystery: true })),
      JSON.stringify(scene.config({ state_dir: join(scene.root, 'another') })),
    ]) {
      // An empty file is a valid configuration, with another state_dir.
      agent.reconfigure(broken);
      agent.signal('SIGHUP');
      const count = () =>
        agent.log.filter(({ message }) => message === 'the new configuration is refused, the old one stays');
      await agent.waitFor('a refusal', () => count().length > refused.length);
      refused.push(count().at(-1)!);
    }
    assert.match(String(refused[2]!.error), /threads/);
    assert.match(String(refused[2]!.error), /mystery/);
    for (const index of [1, 3]) assert.match(String(refused[index]!.error), /state_dir cannot change/);
    scene.write(50);
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), OK);
    await scene.assertExact();
  });

  test('during a pause for lack of space: the new place for the archive is taken', {
    skip: whyNoSmallDisk(),
  }, async () => {
    using disk = new SmallDisk(4);
    await using scene = new Scene();
    disk.fill();
    const full = scene.config({ sink: { path: join(disk.path, 'archive', '${tag[1..]}.%Y%m%d%H.log.gz') } });
    const agent = scene.start({ config: full });
    scene.write(50);
    await agent.waitFor('the alarm', () => agent.findLog(WRITES_FAIL) !== undefined);
    agent.reconfigure(scene.config());
    agent.signal('SIGHUP');
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), OK);
    await scene.assertExact();
  });

  test('a configuration that cannot start: the old one stays', async () => {
    await using scene = new Scene();
    const agent = scene.start();
    scene.write(50);
    await scene.archived(agent);
    const foreign = join(scene.root, 'foreign');
    // A sink that the state does not know, where an archive is.
    const config = scene.config({ sink: { name: 'other', path: join(foreign, '${tag[1..]}.%Y%m%d%H.log.gz') } });
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'team-z.2024050607.log.gz'), 'not empty');
    agent.reconfigure(config);
    agent.signal('SIGHUP');
    await agent.waitFor('a refusal', () => agent.findLog('the old configuration applies again') !== undefined);
    scene.write(50);
    await scene.archived(agent);
    assert.deepEqual(await agent.stop(), OK);
    await scene.assertExact();
  });
});

describe('SIGUSR1', () => {
  test('commits now, and starts no debugger', async () => {
    await using scene = new Scene();
    scene.write(50);
    const agent = scene.start({ config: patient(scene) });
    await running(agent);
    // Reading is done a moment later, so one signal may come too early.
    await agent.waitFor('the lines', async () => {
      agent.signal('SIGUSR1');
      return (await scene.count()) === 50;
    });
    assert.equal(
      agent.log.find(({ text }) => /debugger/i.test(String(text))),
      undefined,
    );
    assert.deepEqual(listeners(agent.pid!), []);
    assert.deepEqual(await agent.stop(), OK);
    await scene.assertExact();
  });
});

/** Listening TCP sockets of a process: state 0A, and an inode that one of its descriptors has. */
function listeners(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
      .filter((row) => row[3] === '0A' && inodes.has(row[9]!))
      .map((row) => row[1]!),
  );
}

describe('--exit-at-eof', () => {
  test('0 where all was read, and where there is nothing', async () => {
    await using scene = new Scene();
    assert.equal((await scene.runToEnd()).code, 0);
    scene.write(10);
    scene.writer.writePart('{"a":');
    assert.equal((await scene.runToEnd()).code, 0);
    // The line that is not finished is left for later.
    await scene.assertExact();
    scene.writer.writeLines(['1}']);
    assert.equal((await scene.runToEnd()).code, 0);
    await scene.assertExact();
  });

  test('1 where something stands in the place of the log that cannot be read', async () => {
    await using scene = new Scene();
    const config = scene.config({ source: { path: join(scene.root, 'loop') } });
    symlinkSync('loop', join(scene.root, 'loop'));
    const { code, log } = await scene.runToEnd({ config });
    assert.equal(code, 1);
    assert.match(String(log.at(-1)?.text), /^auditail: could not read .*loop/);
  });

  test('1 where the archive cannot be written', async () => {
    await using scene = new Scene();
    scene.write(10);
    writeFileSync(scene.archive, 'a file where a directory should be');
    const agent = scene.start({ args: ['--exit-at-eof'] });
    await agent.waitFor('an alarm or the end', () => agent.findLog(WRITES_FAIL) !== undefined || !agent.running);
    const { code } = await agent.stop();
    assert.equal(code, 1);
  });
});
