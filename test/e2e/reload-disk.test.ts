/** A reload that comes when nothing can be written. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Scene } from './scene.ts';
import { SmallDisk, whyNoSmallDisk } from './small-disk.ts';

const ALARM = 'writing failed: back to the last commit; nothing is lost, the log itself is the buffer';

describe('reloads with no space left', { skip: whyNoSmallDisk() }, () => {
  for (const places of [['archive'], ['state'], ['archive', 'state']]) {
    test(`on the disk of ${places.join(' and ')}: the agent goes on, also with what was deleted meanwhile`, async () => {
      using disk = new SmallDisk(4);
      await using scene = new Scene(Object.fromEntries(places.map((place) => [place, join(disk.path, place)])));
      await using agent = scene.start();
      scene.write(100);
      await scene.committed(agent);
      disk.fill();
      for (const namespace of ['team-a', 'team-b']) scene.write(1000, { namespace, filler: 1000 });
      await agent.waitFor('the alarm', () => agent.findLog(ALARM) !== undefined);
      scene.writer.rotate('rename');
      scene.writer.prune(0);
      // At different moments of the pause that a failed commit has.
      for (let n = 0; n < 8 && agent.running; n += 1) {
        await delay(130 + 37 * n);
        disk.fill();
        agent.signal('SIGHUP');
        await delay(150);
      }
      assert.ok(agent.running, JSON.stringify(agent.log.slice(-4)));
      disk.free();
      await scene.archived(agent);
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      await scene.assertExact();
    });
  }
});
