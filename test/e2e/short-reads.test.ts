/** Reads of the log that give fewer bytes than they were asked for, as network file systems and signals make them. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FaultControl } from '../../torture/fault-control.ts';
import { whyNoFaults } from '../torture/why-no-faults.ts';
import { Scene } from './scene.ts';

/** Done to the log while the agent is down, with lines in it that it has not read. */
const CHANGES: Readonly<Record<string, (scene: Scene) => void>> = {
  'nothing else': () => undefined,
  'a rotation': (scene) => void scene.writer.rotate('rename'),
  'a rotation with gzip': (scene) => void scene.writer.rotate('rename-gzip'),
  copytruncate: (scene) => void scene.writer.rotate('copytruncate'),
  'copytruncate, and gzip of the copy': (scene) => {
    const copy = scene.writer.rotate('copytruncate');
    writeFileSync(`${copy}.gz`, gzipSync(readFileSync(copy)));
    rmSync(copy);
  },
};

describe('short reads', { skip: whyNoFaults(), concurrency: 2 }, () => {
  for (const [what, change] of Object.entries(CHANGES)) {
    for (const every of [1, 2, 3]) {
      test(`each ${every}. one, at a start after ${what}: nothing lost, nothing repeated`, async () => {
        await using scene = new Scene();
        const faults = new FaultControl(join(scene.root, 'faults'), { log: join(scene.root, 'log') });
        scene.write(50, { filler: 700 });
        assert.equal((await scene.runToEnd()).code, 0);
        scene.write(50, { filler: 700 });
        change(scene);
        scene.write(50, { filler: 700 });
        const rule = faults.on({ calls: ['read'], directories: ['log'], every, halve: true });
        const { code, log } = await scene.runToEnd({ env: faults.env });
        assert.equal(code, 0);
        assert.ok(faults.off(rule) > 0, 'no read was short');
        assert.deepEqual(
          log.filter(({ level }) => level === 'error'),
          [],
        );
        await scene.assertExact();
      });
    }
  }

  test('where a log was cut back by a power loss: what was archived is not archived again', async () => {
    await using scene = new Scene();
    const faults = new FaultControl(join(scene.root, 'faults'), { log: join(scene.root, 'log') });
    scene.write(50, { filler: 700 });
    assert.equal((await scene.runToEnd()).code, 0);
    const size = readFileSync(scene.log).length;
    scene.write(3, { filler: 700 });
    assert.equal((await scene.runToEnd()).code, 0);
    // Three lines that the archive has, and that never come again.
    truncateSync(scene.log, size);
    scene.write(50, { filler: 700 });
    faults.on({ calls: ['read'], directories: ['log'], every: 1, halve: true });
    assert.equal((await scene.runToEnd({ env: faults.env })).code, 0);
    await scene.assertExact();
  });
});
