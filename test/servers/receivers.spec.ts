// What each real receiver takes and gives back, with bodies made by hand: the ground that the test of our sinks stands on.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { removeNow, removeWithParent } from '../helpers/children.ts';
import { AuditWebhook } from './audit-webhook.ts';
import { writeCertificates } from './certificates.ts';
import { Loki } from './loki.ts';
import { findNginx, Nginx } from './nginx.ts';
import { OtelCollector } from './otel-collector.ts';
import { post } from './post.ts';
import { findBuilt, type ProgramName } from './programs.ts';
import { Telegraf } from './telegraf.ts';
import { VictoriaLogs } from './victoria-logs.ts';

const JSON_TYPE = 'application/json';
const START = Date.parse('2026-01-15T09:00:00.000Z');

/** Two events of one request, as they have one `auditID`, and one with text outside ASCII. */
const EVENTS = [
  event('a1', 'RequestReceived', 0, 'alice'),
  event('a1', 'ResponseComplete', 1, 'alice'),
  event('b2', 'ResponseComplete', 2, 'zoë "\\ 漢字'),
];
const LINES = EVENTS.map((each) => JSON.stringify(each));
const KEYS = ['a1 RequestReceived', 'a1 ResponseComplete', 'b2 ResponseComplete'];

function event(auditID: string, stage: string, seconds: number, username: string) {
  const time = new Date(START + seconds * 1000).toISOString().replace('Z', '000Z');
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Request',
    auditID,
    stage,
    requestURI: '/api/v1/namespaces/shop/pods',
    verb: 'create',
    user: { username },
    objectRef: { resource: 'pods', namespace: 'shop', apiVersion: 'v1' },
    requestObject: { kind: 'Pod', spec: { containers: [{ name: 'main', ports: [80, 443] }] } },
    requestReceivedTimestamp: time,
    stageTimestamp: time,
  };
}

/** What tells stored events apart, sorted. */
function keysOf(stored: readonly Readonly<Record<string, unknown>>[]): string[] {
  return stored.map(({ auditID, stage }) => `${auditID} ${stage}`).sort();
}

function nanoseconds(index: number): string {
  return `${START + index * 1000}000000`;
}

/** The executable; without it the test is skipped, which says why. */
function programOf(t: TestContext, name: ProgramName): string | undefined {
  const path = findBuilt(name);
  if (path === undefined) t.skip(`${name} is not built: node test/servers/build.ts says why`);
  return path;
}

test('VictoriaLogs takes Elasticsearch bulk, Loki push and newline JSON', async (t) => {
  const program = programOf(t, 'victoria-logs');
  if (program === undefined) return;
  await using server = await VictoriaLogs.start(program);

  const bulk = LINES.map((line, index) => `{"create":{"_index":"audit-shop","_id":"${index}"}}\n${line}\n`).join('');
  const time = '_time_field=stageTimestamp';
  const answer = await post(`${server.url}/insert/elasticsearch/_bulk?${time}&extra_fields=via=bulk`, bulk, {
    contentType: 'application/x-ndjson',
  });
  assert.equal(answer.status, 200, answer.text);
  const { errors, items } = JSON.parse(answer.text);
  assert.equal(errors, false);
  assert.deepEqual(items, [{ create: { status: 201 } }, { create: { status: 201 } }, { create: { status: 201 } }]);

  const push = JSON.stringify({
    streams: [{ stream: { via: 'push' }, values: LINES.map((line, index) => [nanoseconds(index), line]) }],
  });
  const pushed = await post(`${server.url}/insert/loki/api/v1/push`, push, { contentType: JSON_TYPE });
  assert.ok(pushed.status === 200 || pushed.status === 204, `${pushed.status} ${pushed.text}`);

  const jsonLines = await post(`${server.url}/insert/jsonline?${time}&extra_fields=via=jsonline`, LINES.join('\n'), {
    contentType: 'application/stream+json',
  });
  assert.equal(jsonLines.status, 200, jsonLines.text);

  for (const via of ['bulk', 'push', 'jsonline']) {
    const stored = await server.query(`via:=${via}`);
    assert.deepEqual(keysOf(stored), KEYS, via);
    const last = stored.find(({ auditID }) => auditID === 'b2');
    assert.equal(last?.['user.username'], 'zoë "\\ 漢字', via);
    assert.equal(Date.parse(last!._time!), START + 2000, via);
  }
});

test('Loki takes its own push and OTLP in JSON, and gives the lines back byte by byte', async (t) => {
  const program = programOf(t, 'loki');
  if (program === undefined) return;
  await using server = await Loki.start(program);

  const push = JSON.stringify({
    streams: [{ stream: { via: 'push' }, values: LINES.map((line, index) => [nanoseconds(index), line]) }],
  });
  const pushed = await post(`${server.url}/loki/api/v1/push`, push, { contentType: JSON_TYPE });
  assert.equal(pushed.status, 204, pushed.text);
  const taken = await post(`${server.url}/otlp/v1/logs`, otlpBody(), { contentType: JSON_TYPE });
  assert.equal(taken.status, 204, taken.text);

  for (const selector of ['{via="push"}', '{service_name="auditail"}']) {
    const stored = await server.query(selector, START, START + 60_000);
    assert.deepEqual(
      stored.map(({ line }) => line),
      LINES,
      selector,
    );
    assert.deepEqual(
      stored.map(({ time }) => String(time)),
      [nanoseconds(0), nanoseconds(1), nanoseconds(2)],
      selector,
    );
  }
});

test('the OpenTelemetry Collector takes OTLP in JSON and Splunk HEC', async (t) => {
  const program = programOf(t, 'otel-collector');
  if (program === undefined) return;
  await using server = await OtelCollector.start(program);

  const taken = await post(`${server.otlpUrl}/v1/logs`, otlpBody(), { contentType: JSON_TYPE });
  assert.equal(taken.status, 200, taken.text);
  assert.deepEqual(JSON.parse(taken.text), { partialSuccess: {} });

  // HEC events follow each other without a comma or a newline.
  const hec = EVENTS.map((each, index) =>
    JSON.stringify({
      time: START / 1000 + index,
      source: 'apiserver',
      sourcetype: 'kube:apiserver:audit',
      event: each,
    }),
  ).join('');
  const sent = await post(`${server.splunkUrl}/services/collector/event`, hec, {
    contentType: JSON_TYPE,
    headers: { authorization: 'Splunk 00000000-0000-0000-0000-000000000000' },
  });
  assert.equal(sent.status, 200, sent.text);
  assert.deepEqual(JSON.parse(sent.text), { text: 'Success', code: 0 });

  const otlp = await server.endAndRead('otlp');
  assert.deepEqual(
    otlp.map(({ body }) => body),
    LINES,
  );
  assert.deepEqual(
    otlp.map(({ time }) => String(time)),
    [nanoseconds(0), nanoseconds(1), nanoseconds(2)],
  );
  const splunk = await server.endAndRead('splunk');
  assert.deepEqual(
    splunk.map(({ body }) => body),
    EVENTS,
  );
});

test('Telegraf takes arrays of JSON objects', async (t) => {
  const program = programOf(t, 'telegraf');
  if (program === undefined) return;
  await using server = await Telegraf.start(program, ['auditID', 'stage', 'user_username']);
  const sent = await post(server.url, JSON.stringify(EVENTS), { contentType: JSON_TYPE });
  assert.equal(sent.status, 204, sent.text);
  const broken = await post(server.url, `[${LINES.join('')}]`, { contentType: JSON_TYPE });
  assert.equal(broken.status, 400, broken.text);
  const stored = await server.endAndRead();
  assert.deepEqual(keysOf(stored), KEYS);
  assert.equal(stored.find(({ auditID }) => auditID === 'b2')?.user_username, 'zoë "\\ 漢字');
});

test("the apiserver's codec takes an EventList, and only that", async (t) => {
  const program = programOf(t, 'audit-webhook');
  if (program === undefined) return;
  await using server = await AuditWebhook.start(program);
  const list = (items: readonly object[]) =>
    JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items });
  const sent = await post(server.url, list(EVENTS), { contentType: JSON_TYPE });
  assert.equal(sent.status, 200, sent.text);
  for (const wrong of [list([{ ...EVENTS[0], added: 1 }]), JSON.stringify(EVENTS[0]), JSON.stringify(EVENTS)]) {
    const refused = await post(server.url, wrong, { contentType: JSON_TYPE });
    assert.equal(refused.status, 400, wrong);
  }
  const stored = server.read();
  assert.deepEqual(keysOf(stored), KEYS);
  assert.deepEqual(
    stored.map(({ requestObject }) => requestObject),
    EVENTS.map(({ requestObject }) => requestObject),
  );
});

test('nginx ends TLS before a receiver, with and without a client certificate', async (t) => {
  const nginx = findNginx();
  if (nginx === undefined) return t.skip('there is no nginx: node test/servers/build.ts says why');
  const program = programOf(t, 'victoria-logs');
  if (program === undefined) return;
  const directory = mkdtempSync(join(tmpdir(), 'auditail-certificates-'));
  removeWithParent(directory);
  t.after(() => removeNow(directory));
  const tls = writeCertificates(directory);
  await using server = await VictoriaLogs.start(program);
  await using proxy = await Nginx.start(nginx, tls, [
    { url: server.url, mutual: false },
    { url: server.url, mutual: true },
  ]);
  const [plain, mutual] = proxy.urls.map((url) => `${url}/insert/jsonline?_time_field=stageTimestamp`);

  assert.equal((await post(plain!, LINES[0]!, { contentType: JSON_TYPE, tls })).status, 200);
  assert.equal((await post(mutual!, LINES[1]!, { contentType: JSON_TYPE, tls, mutual: true })).status, 200);
  const stranger = await post(mutual!, LINES[2]!, { contentType: JSON_TYPE, tls });
  assert.equal(stranger.status, 400, stranger.text);
  assert.deepEqual(keysOf(await server.query('*')), KEYS.slice(0, 2));
});

function otlpBody(): string {
  return JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'auditail' } }] },
        scopeLogs: [
          {
            scope: { name: 'auditail' },
            logRecords: LINES.map((line, index) => ({
              timeUnixNano: nanoseconds(index),
              observedTimeUnixNano: nanoseconds(index),
              body: { stringValue: line },
            })),
          },
        ],
      },
    ],
  });
}
