import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventLine, HOUR_NAME, HOUR_START, Scene } from './scene.ts';

/** What ends a member: it is written anew behind what follows. */
const TRAILER_BYTES = 10;

/** Written by the pool before a commit, because it is more than a block. */
async function crashWithTail(scene: Scene): Promise<{ file: string; committed: number }> {
  const file = join(scene.archive, `audit-team-a.${HOUR_NAME}.log.gz`);
  scene.write(20);
  assert.equal((await scene.runToEnd()).code, 0);
  const committed = statSync(file).size;
  await using agent = scene.start({ config: scene.config({ commit: { interval: '1h', bytes: '1GiB' } }) });
  scene.write(3000, { filler: 1000 });
  await agent.waitFor('content behind the commit', () => statSync(file).size > committed);
  await agent.kill();
  return { file, committed };
}

function cutTails(scene: Scene): string[] {
  const directory = join(scene.state, 'cut', 'archive');
  return existsSync(directory) ? readdirSync(directory) : [];
}

// They wait for the agent's upkeep, which comes every ten seconds: at the same time.
describe('what a start cuts off', { concurrency: true }, () => {
  test('is kept until the lines have been archived again', async () => {
    await using scene = new Scene();
    await crashWithTail(scene);
    await using agent = scene.start();
    await agent.waitFor('the cut', () => agent.findLog('archive file cut to the last commit') !== undefined);
    assert.equal(cutTails(scene).length, 1);
    await agent.waitFor('the end of the replay', () => cutTails(scene).length === 0);
    await agent.kill();
    // Without another commit: all was durable before the copies went.
    await scene.assertExact();
  });

  for (const wait of ['50ms', '12s']) {
    test(`is kept where the log has a gap instead, told after a rotate_wait of ${wait}`, async () => {
      await using scene = new Scene();
      const { file, committed } = await crashWithTail(scene);
      const tail = readFileSync(file).subarray(committed - TRAILER_BYTES);
      rmSync(scene.log);
      scene.writer.reopen();
      scene.writer.writeLines([eventLine({ id: 'after the gap', namespace: 'team-b' })]);
      await using agent = scene.start({ config: scene.config({ source: { rotate_wait: wait } }) });
      await agent.waitFor('the gap', () => agent.findLog(/^a gap: /) !== undefined);
      await agent.waitFor('a word on the tails', () => agent.findLog(/^gaps were found/) !== undefined);
      const kept = cutTails(scene);
      assert.equal(kept.length, 1);
      const copy = readFileSync(join(scene.state, 'cut', 'archive', kept[0]!));
      assert.ok(copy.equals(tail));

      // The next look at what is to be done, which finishes the hour before, says nothing more of them.
      scene.writer.writeLines([eventLine({ id: 'an hour later', timeMs: HOUR_START + 3_600_000 })]);
      await agent.waitFor('more upkeep', () => agent.findLog('archive file finished') !== undefined);
      scene.writer.writeLines([eventLine({ id: 'at last', timeMs: HOUR_START + 3_600_000 })]);
      const { total } = scene.writer.expected;
      await agent.waitFor('the last line', async () => (await scene.compare()).archived === total - 3000);
      assert.equal(agent.log.filter(({ message }) => /^gaps were found/.test(String(message))).length, 1);
      assert.equal(cutTails(scene).length, 1);
    });
  }
});
