import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../../../src/sink/http/transport.ts';
import { answer } from '../answers.ts';
import { httpEvent } from '../http-events.ts';
import { newFormat } from './new-format.ts';

const format = newFormat({ format: 'otlp', cluster: 'blue' });
const EVENTS = [httpEvent('{"a":"x"}\r'), httpEvent('{}')];

const kinds = (response: HttpResponse): readonly string[] => format.judge(response, EVENTS).map(({ kind }) => kind);

test('the body is an ExportLogsServiceRequest in JSON', () => {
  // OTLP Specification, "JSON Protobuf Encoding": lowerCamelCase names, 64-bit integers as decimal strings.
  assert.equal(
    format.encode(EVENTS.slice(0, 1)).toString(),
    '{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"auditail"}},' +
      '{"key":"host.name","value":{"stringValue":"cp-1"}},' +
      '{"key":"k8s.cluster.name","value":{"stringValue":"blue"}}]},"scopeLogs":[{"scope":{"name":"auditail"},"logRecords":[' +
      '{"timeUnixNano":"1768467600123000000","observedTimeUnixNano":"1768467601000000000",' +
      '"body":{"stringValue":"{\\"a\\":\\"x\\"}\\r"},"attributes":[' +
      '{"key":"tag","value":{"stringValue":"audit.default"}},{"key":"log.source","value":{"stringValue":"apiserver"}},' +
      '{"key":"log.file.path","value":{"stringValue":"/var/log/kubernetes/audit/audit.log"}},' +
      '{"key":"log.file.name","value":{"stringValue":"audit.log"}},' +
      '{"key":"log.file.offset","value":{"intValue":"4096"}}]}]}]}]}',
  );
  assert.equal(format.contentType, 'application/json');
});

test('the cluster is left out where it is not configured', () => {
  const body = JSON.parse(newFormat({ format: 'otlp' }).encode(EVENTS).toString());
  assert.deepEqual(body.resourceLogs[0].resource.attributes, [
    { key: 'service.name', value: { stringValue: 'auditail' } },
    { key: 'host.name', value: { stringValue: 'cp-1' } },
  ]);
  assert.equal(body.resourceLogs[0].scopeLogs[0].logRecords.length, 2);
});

test('requests go to /v1/logs where the URL names no path', () => {
  assert.equal(format.endpoint(new URL('http://o.example:4318')).href, 'http://o.example:4318/v1/logs');
  assert.equal(format.endpoint(new URL('http://o.example/otlp/v1/logs')).href, 'http://o.example/otlp/v1/logs');
});

test('full success delivers, with or without a body', () => {
  const bodies = ['', '{}', '{"partialSuccess":{}}', '{"partialSuccess":null}'];
  const warned = '{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"old version"}}';
  for (const body of [...bodies, warned]) assert.deepEqual(kinds(answer(200, body)), ['delivered', 'delivered'], body);
});

test('partial success rejects all records of the request, and says how many it was', () => {
  for (const rejectedLogRecords of ['1', 1]) {
    const body = { partialSuccess: { rejectedLogRecords, errorMessage: 'too\nlong' } };
    const reason = '1 of 2 records were rejected, and the receiver does not say which: too long';
    assert.deepEqual(format.judge(answer(200, body), EVENTS), [
      { kind: 'rejected', reason },
      { kind: 'rejected', reason },
    ]);
  }
});

test('a 2xx that is no OTLP answer delivers nothing', () => {
  const bodies = ['ok', '[]', 'null', '{"partialSuccess":1}', '{"partialSuccess":{"rejectedLogRecords":"many"}}'];
  bodies.push('{"partialSuccess":{"rejectedLogRecords":-1}}', '{"partialSuccess":{"rejectedLogRecords":{}}}');
  for (const body of bodies) assert.deepEqual(kinds(answer(200, body)), ['retry', 'retry'], body);
  assert.deepEqual(kinds(answer(200, '{}', { complete: false })), ['retry', 'retry']);
  assert.deepEqual(kinds(answer(200, '', { complete: false })), ['retry', 'retry']);
});

test('other statuses are judged as everywhere', () => {
  assert.deepEqual(kinds(answer(503)), ['retry', 'retry']);
  assert.deepEqual(kinds(answer(400)), ['split', 'split']);
});
