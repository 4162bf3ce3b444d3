import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../answers.ts';
import { httpEvent } from '../http-events.ts';
import { newFormat } from './new-format.ts';

const EVENTS = [
  httpEvent('{"kind":"Event","auditID":"1","n":12345678901234567890}'),
  httpEvent('{ "a":"\\ud800", "a":1.0 }\r'),
];

test('ndjson: each event on its line, as it was read', () => {
  const format = newFormat({ format: 'ndjson' });
  assert.equal(format.contentType, 'application/x-ndjson');
  assert.equal(
    format.encode(EVENTS).toString(),
    '{"kind":"Event","auditID":"1","n":12345678901234567890}\n{ "a":"\\ud800", "a":1.0 }\r\n',
  );
});

test('json_array: one array', () => {
  const format = newFormat({ format: 'json_array' });
  assert.equal(format.contentType, 'application/json');
  assert.equal(
    format.encode(EVENTS).toString(),
    '[{"kind":"Event","auditID":"1","n":12345678901234567890},{ "a":"\\ud800", "a":1.0 }\r]',
  );
  assert.equal(format.encode(EVENTS.slice(1)).toString(), '[{ "a":"\\ud800", "a":1.0 }\r]');
});

test("event_list: the apiserver's own webhook body", () => {
  // k8s.io/apiserver, pkg/apis/audit/v1/types.go: EventList with its TypeMeta, ListMeta and Items.
  const format = newFormat({ format: 'event_list', add: { cluster: 'blue' } });
  assert.equal(format.contentType, 'application/json');
  assert.equal(
    format.encode([httpEvent('{"kind":"Event"}'), httpEvent('{}')]).toString(),
    '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":' +
      '[{"cluster":"blue","kind":"Event"},{"cluster":"blue"}]}',
  );
});

test('the URL is used as it is', () => {
  for (const format of ['ndjson', 'json_array', 'event_list'] as const) {
    assert.equal(newFormat({ format }).endpoint(new URL('https://a.example/?b=1')).href, 'https://a.example/?b=1');
  }
});

test('any 2xx that came whole delivers, whatever it says', () => {
  for (const format of ['ndjson', 'json_array', 'event_list'] as const) {
    const kinds = (response: Parameters<ReturnType<typeof newFormat>['judge']>[0]): readonly string[] =>
      newFormat({ format })
        .judge(response, EVENTS)
        .map(({ kind }) => kind);
    assert.deepEqual(kinds(answer(204)), ['delivered', 'delivered']);
    assert.deepEqual(kinds(answer(200, '<html>')), ['delivered', 'delivered']);
    assert.deepEqual(kinds(answer(200, 'ok', { complete: false })), ['retry', 'retry']);
    assert.deepEqual(kinds(answer(400)), ['split', 'split']);
    assert.deepEqual(kinds(answer(401)), ['blocked', 'blocked']);
  }
});

test('what a receiver echoes of a secret is not in the reason', () => {
  const token = { reveal: () => 'tok-1234567' };
  const format = newFormat({ format: 'ndjson', auth: { kind: 'bearer', token } });
  assert.deepEqual(format.judge(answer(403, 'bad token tok-1234567'), EVENTS.slice(1)), [
    { kind: 'blocked', reason: 'HTTP 403: bad token [secret]' },
  ]);
});
