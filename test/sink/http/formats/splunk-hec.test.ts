import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../../../src/sink/http/transport.ts';
import { answer } from '../answers.ts';
import { httpEvent } from '../http-events.ts';
import { newFormat } from './new-format.ts';

const format = newFormat({ format: 'splunk_hec', index: 'k8s_audit' });
const perTag = newFormat({ format: 'splunk_hec', index: 'k8s_${tag[1]}' });
const EVENTS = [httpEvent('{"a":1}'), httpEvent('{"b":"\\ud800"}\r', { time: 1_768_467_600_007 }), httpEvent('{}')];

const kinds = (response: HttpResponse, judge = format): readonly string[] =>
  judge.judge(response, EVENTS).map(({ kind }) => kind);
const all = (kind: string): readonly string[] => EVENTS.map(() => kind);

test('the body is one envelope after another, the event in it as it was read', () => {
  // Splunk Enterprise, "Format events for HTTP Event Collector": metadata keys and event data; batches are concatenated.
  assert.equal(
    format.encode(EVENTS.slice(0, 2)).toString(),
    '{"time":1768467600.123,"host":"cp-1","source":"/var/log/kubernetes/audit/audit.log",' +
      '"sourcetype":"kube:apiserver-audit","index":"k8s_audit","event":{"a":1}}\n' +
      '{"time":1768467600.007,"host":"cp-1","source":"/var/log/kubernetes/audit/audit.log",' +
      '"sourcetype":"kube:apiserver-audit","index":"k8s_audit","event":{"b":"\\ud800"}\r}\n',
  );
});

test('without an index the token decides; paths are quoted', () => {
  const plain = newFormat({ format: 'splunk_hec' });
  assert.deepEqual(JSON.parse(plain.encode([httpEvent('{}', { path: '/a"\n.log' })]).toString()), {
    time: 1768467600.123,
    host: 'cp-1',
    source: '/a"\n.log',
    sourcetype: 'kube:apiserver-audit',
    event: {},
  });
});

test('requests go to the event endpoint where the URL names none', () => {
  const endpoint = (url: string): string => format.endpoint(new URL(url)).href;
  assert.equal(endpoint('https://s.example:8088'), 'https://s.example:8088/services/collector/event');
  assert.equal(endpoint('https://s.example/services/collector'), 'https://s.example/services/collector');
});

test('each code has its verdict', () => {
  const table: readonly [status: number, code: number, kind: string][] = [
    [200, 0, 'delivered'],
    [403, 1, 'blocked'],
    [401, 2, 'blocked'],
    [401, 3, 'blocked'],
    [403, 4, 'blocked'],
    [400, 5, 'split'],
    [400, 6, 'split'],
    [400, 7, 'blocked'],
    [500, 8, 'retry'],
    [503, 9, 'retry'],
    [400, 10, 'blocked'],
    [400, 11, 'blocked'],
    [400, 14, 'blocked'],
    [503, 18, 'retry'],
    [503, 23, 'retry'],
    [429, 26, 'retry'],
    [400, 999, 'split'],
    [200, 17, 'retry'],
    [200, 9, 'retry'],
    [200, 4, 'blocked'],
  ];
  for (const [status, code, kind] of table) {
    assert.deepEqual(kinds(answer(status, { text: 'x', code })), all(kind), `${status} ${code}`);
  }
});

test('the event that is named is rejected, the others are sent again', () => {
  const response = answer(400, { text: 'Error in handling indexed fields', code: 15, 'invalid-event-number': 1 });
  const verdicts = format.judge(response, EVENTS);
  assert.deepEqual(verdicts[1], {
    kind: 'rejected',
    reason: 'HTTP 400: {"text":"Error in handling indexed fields","code":15,"invalid-event-number":1}',
  });
  assert.deepEqual(kinds(response), ['retry', 'rejected', 'retry']);
  for (const number of [-1, 3, 0.5, '0', null]) {
    assert.deepEqual(kinds(answer(400, { text: 'x', code: 6, 'invalid-event-number': number })), all('split'));
  }
  const tooLarge = answer(413, { text: 'Invalid data format', code: 6, 'invalid-event-number': 0 });
  assert.deepEqual(kinds(tooLarge), all('split'));
});

test('an incorrect index is the fault of one event only where indexes depend on the tag', () => {
  const response = answer(400, { text: 'Incorrect index', code: 7, 'invalid-event-number': 1 });
  assert.deepEqual(kinds(response, format), all('blocked'));
  assert.deepEqual(kinds(response, perTag), all('split'));
  assert.deepEqual(kinds(response, newFormat({ format: 'splunk_hec' })), all('blocked'));
});

test('busy says when to come again', () => {
  const response = answer(503, { text: 'Server is busy', code: 9 }, { headers: { 'retry-after': '3' } });
  assert.deepEqual(format.judge(response, EVENTS.slice(0, 1)), [
    { kind: 'retry', reason: 'HTTP 503: {"text":"Server is busy","code":9}', retryAfterMs: 3000 },
  ]);
});

test('an answer of something else is judged by its status, and delivers nothing', () => {
  for (const body of ['', 'ok', '[]', '{"code":"0"}', '{"text":"Success"}']) {
    assert.deepEqual(kinds(answer(200, body)), all('retry'), body);
  }
  assert.deepEqual(kinds(answer(200, { text: 'Success', code: 0 }, { complete: false })), all('retry'));
  assert.deepEqual(kinds(answer(502, '<html>')), all('retry'));
  assert.deepEqual(kinds(answer(404, '')), all('blocked'));
  assert.deepEqual(kinds(answer(413, '')), all('split'));
});
