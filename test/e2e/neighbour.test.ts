import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, eventLine, HOUR_START, Scene } from './scene.ts';

const IDLE_MS = 4000;

/** Of one core, by an agent that looks at its log as often as it does by default. */
const IDLE_CPU = 0.02;

function whyNoStrace(): string | false {
  try {
    execFileSync('strace', ['-c', 'true'], { stdio: 'pipe' });
    return false;
  } catch (error) {
    return `strace cannot trace here: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}

function writtenBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
}

/** What the descriptors of a process lead to. */
function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed since the list was read.
      return [];
    }
  });
}

describe('an agent with nothing to do', () => {
  test('syncs nothing', { skip: whyNoStrace() }, async () => {
    await using scene = new Scene();
    const agent = scene.start({ config: scene.config({ commit: { interval: '100ms' } }) });
    scene.write(50);
    scene.writer.rotate('rename');
    scene.write(50);
    await scene.archived(agent);
    await agent.waitFor('the rotated part', () => agent.findLog('a rotated log file is finished') !== undefined);
    await sleep(500);
    const trace = join(scene.root, 'trace');
    const calls = 'fsync,fdatasync,sync_file_range,syncfs,msync,pwrite64';
    const strace = spawn('strace', ['-f', '-o', trace, '-e', `trace=${calls}`, '-p', `${agent.pid}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(strace, 'exit');
    await once(strace.stderr, 'data');
    await sleep(IDLE_MS);
    const idle = readFileSync(trace, 'utf8');
    scene.write(1);
    await scene.archived(agent);
    strace.kill('SIGINT');
    await ended;
    assert.equal(idle.replaceAll(/^.*(\+\+\+|---|strace:).*\n/gm, ''), '');
    assert.match(readFileSync(trace, 'utf8'), /fdatasync/, 'the trace would have shown it');
  });

  test('takes hardly any CPU time and writes nothing', async (t) => {
    await using scene = new Scene();
    const agent = scene.start({ config: scene.config({ source: { refresh_interval: '5s' } }) });
    scene.write(2000);
    await scene.archived(agent);
    await sleep(1000);
    const [cpu, bytes] = [cpuMs(agent.pid!), writtenBytes(agent.pid!)];
    await sleep(IDLE_MS);
    const share = (cpuMs(agent.pid!) - cpu) / IDLE_MS;
    t.diagnostic(`${(share * 100).toFixed(2)} % of a core`);
    assert.ok(share < IDLE_CPU, `${share} of a core`);
    assert.equal(writtenBytes(agent.pid!) - bytes, 0);
  });
});

test('descriptors and held segments are let go of, over many rotations and hours', async (t) => {
  await using scene = new Scene();
  const agent = scene.start({ config: scene.config({ sink: { grace: '0s', max_open_files: 16 } }) });
  scene.write(10);
  await scene.archived(agent);
  const before = descriptors(agent.pid!);
  let hour = 0;
  let most = 0;
  for (let round = 0; round < 40; round += 1) {
    const timeMs = HOUR_START + ++hour * 3_600_000;
    for (const namespace of ['team-a', 'team-b', 'team-c']) scene.write(10, { namespace, timeMs });
    const part = scene.writer.rotate(round % 2 === 0 ? 'rename' : 'rename-gzip');
    scene.write(5, { timeMs });
    if (round % 4 === 0) {
      // Read to its end, committed and deleted: nothing of it may stay open.
      await scene.archived(agent);
      rmSync(part, { force: true });
    }
    most = Math.max(most, descriptors(agent.pid!).length);
  }
  await scene.archived(agent);
  const isHeld = (target: string) => target.startsWith(join(scene.root, 'log')) && target !== scene.log;
  await agent.waitFor('rotated parts to be let go of', () => !descriptors(agent.pid!).some(isHeld));
  // Upkeep closes the files of hours that are over.
  const ofArchive = () => descriptors(agent.pid!).filter((target) => target.startsWith(scene.archive));
  await agent.waitFor('files of past hours to be closed', () => ofArchive().length <= 3);
  const after = descriptors(agent.pid!);
  t.diagnostic(`${before.length} descriptors at the start, ${most} at most, ${after.length} in the end`);
  assert.ok(after.length <= before.length + 3, after.join('\n'));
  assert.ok(most <= before.length + 16 + 16, `${most} descriptors`);
  assert.deepEqual(
    after.filter((target) => target.endsWith(' (deleted)') && target.startsWith(scene.root)),
    [],
  );
  await agent.stop();
  await scene.assertExact();
});

test('a deleted segment is held until it is read, and no longer', async () => {
  await using scene = new Scene();
  scene.write(3000, { filler: 1000 });
  const agent = scene.start();
  await agent.waitFor('the log to be read', () => agent.findLog('reading a log file') !== undefined);
  rmSync(scene.writer.rotate('rename'));
  scene.writer.writeLines([eventLine({ id: 'next' })]);
  await scene.archived(agent);
  const held = () =>
    descriptors(agent.pid!).filter((target) => target.endsWith(' (deleted)') && target.includes('/log/'));
  await agent.waitFor('the deleted segment to be let go of', () => held().length === 0);
  assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  await scene.assertExact();
});
