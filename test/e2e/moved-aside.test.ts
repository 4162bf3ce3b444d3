import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { Scene } from './scene.ts';

test('a part that logrotate moves aside, since it stood where the next one goes, is read', async () => {
  await using scene = new Scene();
  scene.write(50);
  assert.equal((await scene.runToEnd()).code, 0);
  scene.write(50);
  const part = scene.writer.rotate('copytruncate');
  // As logrotate names it: it would rather have overwritten nothing.
  renameSync(part, `${part}-2026113012.backup`);
  scene.write(50);
  const { code, log } = await scene.runToEnd();
  assert.equal(code, 0);
  assert.deepEqual(
    log.filter(({ level }) => level === 'error'),
    [],
  );
  await scene.assertExact();
});
