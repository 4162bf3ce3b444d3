/**
 * The host's clock is stepped: nothing that the agent waits for depends on it. In the real agent, by a library that stands
 * between it and the clock.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultControl } from '../../torture/fault-control.ts';
import { whyNoFaults } from '../torture/why-no-faults.ts';
import { Scene } from './scene.ts';

const HOUR_MS = 3_600_000;

/** Commits are due so long after what they hold was read: the clock is stepped in between. */
const INTERVAL_MS = 1500;

function faultsOf(scene: Scene): FaultControl {
  return new FaultControl(join(scene.root, 'faults'), { log: join(scene.root, 'log'), archive: scene.archive });
}

describe('a clock that is stepped', { skip: whyNoFaults() }, () => {
  for (const [direction, stepMs] of [
    ['back', -HOUR_MS],
    ['ahead', HOUR_MS],
  ] as const) {
    test(`${direction} between reading and the commit: the commit comes in time`, async () => {
      await using scene = new Scene();
      const faults = faultsOf(scene);
      const config = scene.config({ commit: { interval: `${INTERVAL_MS}ms` } });
      await using agent = scene.start({ config, env: faults.env });
      scene.write(10);
      await scene.committed(agent);
      scene.write(10);
      await sleep(INTERVAL_MS / 5);
      faults.setClock(stepMs);
      await scene.committed(agent);
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      await scene.assertExact();
    });
  }

  test('back while a failed write is waited for: it is tried again in time', async () => {
    await using scene = new Scene();
    const faults = faultsOf(scene);
    await using agent = scene.start({ env: faults.env });
    scene.write(10);
    await scene.committed(agent);
    const rule = faults.on({ calls: ['write'], directories: ['archive'], every: 1, error: 'EIO' });
    scene.write(10);
    const failures = () => agent.log.filter(({ message }) => /^writing failed/.test(String(message))).length;
    // The pause after the fourth failure is the first one that is long enough to step the clock in.
    await agent.waitFor('failures', () => failures() >= 4);
    faults.setClock(-HOUR_MS);
    assert.ok(faults.off(rule) >= 4);
    await scene.committed(agent);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    await scene.assertExact();
  });

  test('back after a rotation: the rotated part is finished, and the next one read', async () => {
    await using scene = new Scene();
    const faults = faultsOf(scene);
    await using agent = scene.start({ env: faults.env });
    scene.write(10);
    await scene.committed(agent);
    scene.writer.writePart('{"no":"newline"');
    faults.setClock(-HOUR_MS);
    scene.writer.rotate('rename');
    await agent.waitFor('the end', () => agent.findLog('a rotated log file is finished') !== undefined);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  });
});
