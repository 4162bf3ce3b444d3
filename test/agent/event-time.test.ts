import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventTime, TIME_PATHS } from '../../src/agent/event-time.ts';
import type { TimeField } from '../../src/config/types.ts';
import { EventScanner } from '../../src/event/scanner.ts';

const NOW = Date.UTC(2026, 10, 20, 15);
const STAGE = '2026-11-20T14:00:00.123456Z';
const RECEIVED = '2026-11-20T13:00:00.5Z';

function timeOf(event: Record<string, unknown>, fields: readonly TimeField[]): string | undefined {
  const paths = ['objectRef.namespace', ...TIME_PATHS];
  const scanner = new EventScanner(paths);
  const bytes = Buffer.from(JSON.stringify(event));
  assert.ok(scanner.scan(bytes, 0, bytes.length));
  const time = new EventTime(scanner, paths, fields, () => NOW).of(bytes);
  return time === undefined ? undefined : new Date(time).toISOString();
}

const BOTH = { stageTimestamp: STAGE, requestReceivedTimestamp: RECEIVED };

test('the first of the configured fields that the event has gives its time', () => {
  assert.equal(timeOf(BOTH, ['stageTimestamp', 'requestReceivedTimestamp']), '2026-11-20T14:00:00.123Z');
  assert.equal(timeOf(BOTH, ['requestReceivedTimestamp', 'stageTimestamp']), '2026-11-20T13:00:00.500Z');
  assert.equal(timeOf({ requestReceivedTimestamp: RECEIVED }, ['stageTimestamp', 'arrival']), undefined);
  assert.equal(
    timeOf({ requestReceivedTimestamp: RECEIVED }, ['stageTimestamp', 'requestReceivedTimestamp']),
    '2026-11-20T13:00:00.500Z',
  );
});

test('nothing is looked for behind arrival', () => {
  assert.equal(timeOf(BOTH, ['arrival', 'stageTimestamp']), undefined);
  assert.equal(timeOf(BOTH, ['arrival']), undefined);
});

test('a field that is no time is passed over for the next one', () => {
  for (const wrong of [5, null, '', 'yesterday', { t: STAGE }, '2026-13-01T00:00:00Z', true]) {
    const event = { ...BOTH, stageTimestamp: wrong };
    assert.equal(
      timeOf(event, ['stageTimestamp', 'requestReceivedTimestamp']),
      '2026-11-20T13:00:00.500Z',
      JSON.stringify(wrong),
    );
  }
});

test('times before Kubernetes and more than a day ahead are no times', () => {
  const at = (stageTimestamp: string) => timeOf({ stageTimestamp }, ['stageTimestamp']);
  assert.equal(at('2014-05-31T23:59:59.999Z'), undefined);
  assert.equal(at('2014-06-01T00:00:00Z'), '2014-06-01T00:00:00.000Z');
  assert.equal(at('2026-11-21T15:00:00Z'), '2026-11-21T15:00:00.000Z');
  assert.equal(at('2026-11-21T15:00:00.001Z'), undefined);
  assert.equal(at('9999-12-31T23:59:59Z'), undefined);
});
