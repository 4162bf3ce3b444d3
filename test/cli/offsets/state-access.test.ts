import assert from 'node:assert/strict';
import { chownSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { withState } from '../../../src/cli/offsets/state-access.ts';
import { tempState } from '../../checkpoint/temp-state.ts';

const IS_ROOT = process.geteuid?.() === 0;

/** A user that no file of this test would belong to otherwise. */
const AGENT = 12_345;

test('what root makes in a state directory is given to its owner, and nothing that a link in it points to', {
  skip: IS_ROOT ? false : 'only root can give files away',
}, async (t) => {
  const dir = tempState(t);
  mkdirSync(dir);
  chownSync(dir, AGENT, AGENT);
  const other = path.join(path.dirname(dir), 'other');
  writeFileSync(other, 'of root');
  await withState(dir, { dryRun: false }, async (state) => {
    // As the owner of the directory may do at any moment, who is not to get more rights by it.
    symlinkSync(other, path.join(dir, 'state.sqlite-link'));
    state.write(() => undefined);
  });
  assert.equal(statSync(other).uid, 0);
  assert.equal(lstatSync(path.join(dir, 'state.sqlite')).uid, AGENT);
  assert.equal(lstatSync(path.join(dir, 'lock.sqlite')).uid, AGENT);
});
