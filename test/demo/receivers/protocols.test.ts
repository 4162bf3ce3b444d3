import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EVENT_LIST } from '../../../demo/receivers/protocols/event-list.ts';
import { JSON_ARRAY } from '../../../demo/receivers/protocols/json-array.ts';
import { LOKI } from '../../../demo/receivers/protocols/loki.ts';
import { NDJSON } from '../../../demo/receivers/protocols/ndjson.ts';
import { OTLP } from '../../../demo/receivers/protocols/otlp.ts';
import { SPLUNK_HEC } from '../../../demo/receivers/protocols/splunk-hec.ts';
import { type Protocol, WholeRequestStore } from '../../../demo/receivers/whole-request-store.ts';
import { post } from './requests.ts';

/** Bytes that come out otherwise when they are parsed and printed. */
const LINES = ['{"a": 1.0, "b":"\\u00e9 é \\/"}', '{"n":12345678901234567890,"n":{"x":["]","\\"}"]}}'];

interface Wire {
  readonly path: string;
  readonly type: string;
  readonly protocol: Protocol;
  readonly encode: (lines: readonly string[]) => string;
  /** Bodies that are to be refused, of one line that would be in order. */
  readonly wrong: (line: string) => readonly string[];
}

const NANOSECONDS = '1767225600000000000';

const lokiPush = (lines: readonly unknown[], labels: unknown = { job: 'audit' }, time: unknown = NANOSECONDS): string =>
  JSON.stringify({ streams: [{ stream: labels, values: lines.map((line) => [time, line]) }] });

const otlpLogs = (records: readonly unknown[]): string =>
  JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] });

const WIRES: Readonly<Record<string, Wire>> = {
  ndjson: {
    path: '/any?key=1',
    type: 'application/x-ndjson',
    protocol: NDJSON,
    encode: (lines) => lines.map((line) => `${line}\n`).join(''),
    wrong: (line) => ['', line, `${line}\n\n`, `${line}\n[]\n`, `${line}\n{\n`],
  },
  json_array: {
    path: '/any',
    type: 'application/json; charset=utf-8',
    protocol: JSON_ARRAY,
    encode: (lines) => `[${lines.join(', ')}]`,
    wrong: (line) => ['', '[]', line, `[${line},]`, `[${line},1]`],
  },
  event_list: {
    path: '/k8s-audit',
    type: 'application/json',
    protocol: EVENT_LIST,
    encode: (lines) => `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${lines.join(',')}]}`,
    wrong: (line) => [
      '',
      `[${line}]`,
      `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}`,
      `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[1]}`,
      `{"kind":"EventList","apiVersion":"audit.k8s.io/v1beta1","items":[${line}]}`,
      `{"kind":"Event","apiVersion":"audit.k8s.io/v1","items":[${line}]}`,
    ],
  },
  loki: {
    path: '/loki/api/v1/push',
    type: 'application/json',
    protocol: LOKI,
    encode: (lines) => lokiPush(lines),
    wrong: (line) => [
      '{}',
      lokiPush([]),
      lokiPush([line], {}),
      lokiPush([line], { 'a-b': 'c' }),
      lokiPush([line], { a: 1 }),
      lokiPush([line], { a: 'b' }, Number(NANOSECONDS)),
      lokiPush([line], { a: 'b' }, '1767225600'),
      lokiPush([{ line }]),
    ],
  },
  splunk_hec: {
    path: '/services/collector/event?channel=1',
    type: 'text/plain',
    protocol: SPLUNK_HEC,
    encode: (lines) => lines.map((line) => `{"time":1767225600.123,"event": ${line}}`).join(''),
    wrong: (line) => [
      '',
      `[{"event":${line}}]`,
      `{"event":${line}},{"event":${line}}`,
      '{"time":1}',
      '{"event":""}',
      '{"event":null}',
      `{"time":"now","event":${line}}`,
    ],
  },
  otlp: {
    path: '/v1/logs',
    type: 'application/json',
    protocol: OTLP,
    encode: (lines) =>
      otlpLogs(lines.map((line) => ({ timeUnixNano: NANOSECONDS, severityNumber: 9, body: { stringValue: line } }))),
    wrong: (line) => [
      '{}',
      otlpLogs([]),
      otlpLogs([{ timeUnixNano: NANOSECONDS }]),
      otlpLogs([{ timeUnixNano: 1, body: { stringValue: line } }]),
      otlpLogs([{ body: { stringValue: JSON.parse(line) } }]),
    ],
  },
};

for (const [name, { path, type, protocol, encode, wrong }] of Object.entries(WIRES)) {
  describe(`a receiver of ${name}`, () => {
    test('gives back the bytes of the events', () => {
      const store = new WholeRequestStore(protocol, { keepLines: true });
      assert.ok([200, 204].includes(store.take(post(path, type, encode(LINES))).status));
      assert.deepEqual(store.stored.lines.map(String), LINES);
    });

    test('refuses what is not its protocol, and stores nothing of it', () => {
      const store = new WholeRequestStore(protocol);
      const body = encode([LINES[0]!]);
      for (const text of wrong(LINES[0]!)) assert.equal(store.take(post(path, type, text)).status, 400, text);
      const invalid = Buffer.from(body).fill(0xff, body.indexOf('é'), body.indexOf('é') + 1);
      assert.equal(store.take(post(path, type, invalid)).status, 400, 'not UTF-8');
      assert.equal(store.take({ ...post(path, type, body), method: 'PUT' }).status, 405);
      if (!path.startsWith('/any') && name !== 'event_list') {
        assert.equal(store.take(post('/elsewhere', type, body)).status, 404);
      }
      if (name !== 'splunk_hec') assert.equal(store.take(post(path, 'text/html', body)).status, 415);
      assert.equal(store.stored.total, 0);
    });

    test('refuses a request with a poisonous event as a whole', () => {
      const store = new WholeRequestStore(protocol, { poison: (line) => line.includes('12345678901234567890') });
      assert.equal(store.take(post(path, type, encode(LINES))).status, 400);
      assert.equal(store.stored.total, 0);
      assert.ok(store.take(post(path, type, encode([LINES[0]!]))).status < 300);
      assert.equal(store.stored.total, 1);
    });
  });
}

test('an event in text reaches Splunk as that text', () => {
  const store = new WholeRequestStore(SPLUNK_HEC);
  store.take(post('/services/collector', '', `{"event":${JSON.stringify(LINES[0])}}`));
  assert.equal(store.stored.times(LINES[0]!), 1);
});
