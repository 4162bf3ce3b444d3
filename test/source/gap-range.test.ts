import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gapRange } from '../../src/source/gap-range.ts';

const LOST = {
  path: '/log/audit.log',
  position: 100,
  sizeSeen: 100,
  mayGrow: false,
  lastTime: 5,
  how: 'gone',
} as const;
const ROTATED = 'audit-2026-11-20T15-04-05.000.log';

function ends(lost: Partial<Parameters<typeof gapRange>[0]>, name: string): unknown {
  const gap = gapRange({ ...LOST, ...lost }, name, 9);
  return gap === undefined ? 'no gap' : (gap.endOffset ?? 'unknown');
}

test('a live file that is gone may have grown: the end is unknown, also when all that was seen was read', () => {
  assert.equal(ends({}, 'audit.log'), 'unknown');
  assert.equal(ends({ sizeSeen: 500 }, 'audit.log'), 'unknown');
});

test('a rotated part does not grow: its end is what was seen, and read to it there is no gap', () => {
  assert.equal(ends({ sizeSeen: 500 }, ROTATED), 500);
  assert.equal(ends({}, ROTATED), 'no gap');
  assert.equal(ends({ sizeSeen: 500 }, 'audit.log.1'), 500);
});

test('a part that was rotated just before may have grown: the end is unknown', () => {
  assert.equal(ends({ mayGrow: true, sizeSeen: 500 }, ROTATED), 'unknown');
  assert.equal(ends({ mayGrow: true }, ROTATED), 'unknown');
});

test('a rotated part that nobody looked into has an unknown end', () => {
  assert.equal(ends({ position: 0, sizeSeen: 0 }, ROTATED), 'unknown');
});

test('a file that was truncated before the eyes of the agent had the size that was seen last', () => {
  assert.equal(ends({ how: 'truncated', sizeSeen: 130 }, 'audit.log'), 130);
  assert.equal(ends({ how: 'truncated' }, 'audit.log'), 'no gap');
});

test('a gap says where, since when, until when and why', () => {
  assert.deepEqual(gapRange({ ...LOST, sizeSeen: 300 }, ROTATED, 9), {
    path: '/log/audit.log',
    startOffset: 100,
    endOffset: 300,
    beforeTime: 5,
    afterTime: 9,
    reason: 'the file was deleted or replaced before it was read to its end',
  });
  assert.match(gapRange({ ...LOST, how: 'truncated', sizeSeen: 101 }, 'audit.log', undefined)!.reason, /truncated/);
});
