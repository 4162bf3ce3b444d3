import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Gap, GapRecords } from '../../src/checkpoint/gap-records.ts';
import { SegmentRecords } from '../../src/checkpoint/segment-records.ts';
import { Settings } from '../../src/checkpoint/settings.ts';
import { tempDatabase } from './temp-state.ts';

const GAP: Gap = {
  path: '/log/audit.log.1',
  startOffset: 100,
  endOffset: 2 ** 40,
  beforeTime: 1,
  afterTime: 2,
  reason: 'the file was deleted',
};

test('a gap comes back as it was told, by source and in order, with what nobody knows left open', (t) => {
  const db = tempDatabase(t);
  const segments = new SegmentRecords(db);
  const gaps = new GapRecords(db);
  const stream = segments.streamId('apiserver', '/log/audit.log');
  const unknown = { ...GAP, endOffset: undefined, beforeTime: undefined, afterTime: undefined };
  gaps.add(stream, GAP, 5);
  gaps.add(stream, unknown, 6);
  gaps.add(segments.streamId('other', '/other.log'), GAP, 7);
  assert.deepEqual(gaps.list('apiserver'), [
    { ...GAP, stream: '/log/audit.log', foundAt: 5 },
    { ...unknown, stream: '/log/audit.log', foundAt: 6 },
  ]);
  assert.equal(gaps.list('nobody').length, 0);
});

test('a gap and the end of its segment are stored together or not at all', (t) => {
  const db = tempDatabase(t);
  const segments = new SegmentRecords(db);
  const gaps = new GapRecords(db);
  const stream = segments.streamId('apiserver', '/log/audit.log');
  const row = {
    stream,
    device: 1n,
    inode: 1n,
    head: '',
    path: '',
    sizeSeen: 0,
    mayGrow: false,
    finished: false,
    headOf: undefined,
    headBytes: 0,
  };
  const id = segments.add({ ...row, firstTime: undefined, lastTime: undefined }, new Map(), 0);
  db.exec("CREATE TRIGGER refuse BEFORE UPDATE ON segments BEGIN SELECT RAISE(ABORT, 'no'); END");
  assert.throws(() => gaps.add(stream, GAP, 5, id), /no/);
  assert.deepEqual(gaps.list('apiserver'), []);
  db.exec('DROP TRIGGER refuse');
  gaps.add(stream, GAP, 5, id);
  assert.equal(gaps.list('apiserver').length, 1);
  assert.equal(segments.segments(stream)[0]!.finished, true);
});

test('settings are set, changed, and unknown until then', (t) => {
  const settings = new Settings(tempDatabase(t));
  assert.equal(settings.get('tail_limit'), undefined);
  settings.set('tail_limit', '1');
  settings.set('tail_limit', '1');
  settings.set('tail_limit', '2');
  assert.equal(settings.get('tail_limit'), '2');
});
