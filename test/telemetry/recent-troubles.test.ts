import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentTroubles } from '../../src/telemetry/recent-troubles.ts';

test('one message about one thing is one entry, counted, the newest first', () => {
  let now = 1000;
  const troubles = new RecentTroubles(() => now);
  troubles.add('warn', { sink: 'es', error: 'first' }, 'away');
  now = 2000;
  troubles.add('error', { source: 'apiserver' }, 'a gap');
  now = 3000;
  troubles.add('warn', { sink: 'loki' }, 'away');
  troubles.add('warn', { sink: 'es', error: 'second', attempts: 2, isLast: false }, 'away');
  assert.deepEqual(
    troubles.list().map(({ message, sink, source, count }) => [message, sink ?? source, count]),
    [
      ['away', 'es', 2],
      ['away', 'loki', 1],
      ['a gap', 'apiserver', 1],
    ],
  );
  const [newest] = troubles.list();
  assert.deepEqual([newest!.firstAt, newest!.lastAt], [1000, 3000]);
  assert.deepEqual(newest!.fields, { error: 'second', attempts: 2, isLast: false });
  assert.deepEqual(troubles.counts, { warn: 3, error: 1 });
});

test('what attackers make up costs no more than 64 entries of short texts', () => {
  const troubles = new RecentTroubles(() => 0);
  for (let n = 0; n < 1000; n += 1) troubles.add('warn', { tag: 'x'.repeat(10_000), nested: { a: 1 } }, `message ${n}`);
  const list = troubles.list();
  assert.equal(list.length, 64);
  assert.equal(list[0]!.message, 'message 999');
  assert.deepEqual(list[0]!.fields, { tag: 'x'.repeat(500) });
  assert.equal(troubles.counts.warn, 1000);
});
