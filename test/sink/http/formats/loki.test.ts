import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditailError } from '../../../../src/errors.ts';
import { checkLabels } from '../../../../src/sink/http/formats/loki.ts';
import { answer } from '../answers.ts';
import { httpEvent, TIME } from '../http-events.ts';
import { newFormat } from './new-format.ts';

const LABELS = { job: 'auditail', namespace: '${tag[1]}' };
const format = newFormat({ format: 'loki', labels: LABELS });

function streamsOf(labels: Record<string, string>, tags: readonly string[]): unknown {
  const body = newFormat({ format: 'loki', labels, cluster: 'blue' }).encode(
    tags.map((tag) => httpEvent('{}', { tag })),
  );
  return JSON.parse(body.toString()).streams.map(({ stream }: { stream: unknown }) => stream);
}

test('the body is that of the push API: streams, times and lines as strings', () => {
  // Loki HTTP API, "Ingest logs": {"streams":[{"stream":{"label":"value"},"values":[["<unix epoch in ns>","<line>"]]}]}.
  const events = [
    httpEvent('{"n":1,"s":"a\\"b"}'),
    httpEvent('{"n":2}\r', { tag: 'audit.kube-system' }),
    httpEvent('{"n":3}', { time: TIME - 1 }),
    httpEvent('{"n":4}'),
  ];
  assert.equal(
    format.encode(events).toString(),
    '{"streams":[{"stream":{"job":"auditail","namespace":"default"},"values":[' +
      '["1768467600122000000","{\\"n\\":3}"],' +
      '["1768467600123000000","{\\"n\\":1,\\"s\\":\\"a\\\\\\"b\\"}"],' +
      '["1768467600123000000","{\\"n\\":4}"]]},' +
      '{"stream":{"job":"auditail","namespace":"kube-system"},"values":[["1768467600123000000","{\\"n\\":2}\\r"]]}]}',
  );
  assert.equal(format.contentType, 'application/json');
});

test('labels are templates; those without a value are left out, and one is always there', () => {
  assert.deepEqual(streamsOf(LABELS, ['audit', 'audit._none']), [
    { job: 'auditail' },
    { job: 'auditail', namespace: '_none' },
  ]);
  assert.deepEqual(streamsOf({ node: '${node}', cluster: '${cluster}', source: '${source}' }, ['audit']), [
    { node: 'cp-1', cluster: 'blue', source: 'apiserver' },
  ]);
  assert.deepEqual(streamsOf({ namespace: '${tag[1]}' }, ['audit']), [{ job: 'auditail' }]);
});

test('a label value keeps to the length that Loki takes', () => {
  const [stream] = streamsOf({ tag: '${tag}' }, [`a${'é'.repeat(1500)}`]) as [{ tag: string }];
  assert.equal(stream.tag, `a${'é'.repeat(1023)}`);
});

test('bytes that are no UTF-8 become U+FFFD, and everything else comes back', () => {
  const line = Buffer.concat([
    Buffer.from('{"a":"'),
    Buffer.of(0xff, 0xed, 0xa0, 0x80),
    Buffer.from('\u2028\\ud800\0"}'),
  ]);
  const body = JSON.parse(format.encode([httpEvent(line)]).toString());
  assert.equal(body.streams[0].values[0][1], line.toString());
});

test('requests go to the push endpoint where the URL names none', () => {
  assert.equal(format.endpoint(new URL('http://loki.example:3100')).href, 'http://loki.example:3100/loki/api/v1/push');
  assert.equal(format.endpoint(new URL('http://a.example/push?x=1')).href, 'http://a.example/push?x=1');
});

test('204 delivers; entries that are refused come alone at last', () => {
  const kind = (status: number, body = ''): string => format.judge(answer(status, body), [httpEvent('{}')])[0]!.kind;
  assert.equal(kind(204), 'delivered');
  assert.equal(kind(400, 'entry for stream has timestamp too old'), 'split');
  assert.equal(kind(429, 'ingestion rate limit exceeded'), 'retry');
  assert.equal(kind(500), 'retry');
});

test('labels that Loki would refuse are errors with the reason', () => {
  const table: readonly [labels: Record<string, string>, message: RegExp][] = [
    [{}, /at least one/],
    [Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`l${n}`, 'x'])), /at most 15/],
    [{ 'k8s.namespace': 'x' }, /"k8s\.namespace" is not valid/],
    [{ '1st': 'x' }, /not valid/],
    [{ __name__: 'x' }, /not valid/],
    [{ a: '${nope}' }, /'\$\{nope\}' is not known/],
    [{ a: '${cluster}' }, /no cluster/],
    [{ a: '${time}' }, /every event would be a stream/],
  ];
  for (const [labels, message] of table) {
    assert.throws(
      () => checkLabels(labels, undefined),
      (error) => error instanceof AuditailError && error.code === 'TEMPLATE' && message.test(error.message),
    );
  }
  checkLabels(LABELS, undefined);
});
