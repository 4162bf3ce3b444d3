import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { eventId } from '../../../../src/sink/http/formats/elasticsearch.ts';
import type { HttpResponse } from '../../../../src/sink/http/transport.ts';
import { answer } from '../answers.ts';
import { httpEvent } from '../http-events.ts';
import { newFormat } from './new-format.ts';

const LINES = ['{"auditID":"x","stage":"RequestReceived"}', '{"auditID":"x","stage":"ResponseComplete"}', '{"c":3}'];
const EVENTS = LINES.map((line) => httpEvent(line));
const IDS = EVENTS.map((event) => eventId('cp-1', event));
const INDEX = 'audit-${tag[1..]}-%Y.%m.%d';

const format = newFormat({ format: 'elasticsearch', index: INDEX });
const ok = (id: string | undefined): object => ({ create: { _id: id, status: 201 } });
const failed = (id: string | undefined, status: number, type: string, reason: string): object => ({
  create: { _id: id, status, error: { type, reason } },
});
const bulk = (items: readonly object[], fields: Partial<HttpResponse> = {}): HttpResponse =>
  answer(200, { errors: true, items }, fields);
const kinds = (response: HttpResponse): readonly string[] => format.judge(response, EVENTS).map(({ kind }) => kind);

test('the body is that of the bulk API: a create action and the event, each on its line', () => {
  // Elasticsearch guide, "Bulk API": newline-delimited, the last line ends with a newline; no _type since 8.0.
  assert.equal(
    format.encode(EVENTS.slice(0, 2)).toString(),
    `{"create":{"_index":"audit-default-2026.01.15","_id":"${IDS[0]}"}}\n${LINES[0]}\n` +
      `{"create":{"_index":"audit-default-2026.01.15","_id":"${IDS[1]}"}}\n${LINES[1]}\n`,
  );
  assert.equal(format.contentType, 'application/x-ndjson');
});

test('a node that the sink names is the host in fields and ids, whatever the machine is called', () => {
  const named = newFormat({ format: 'elasticsearch', index: 'a', node: 'cp-2', add: { node: '${node}' } });
  assert.equal(
    named.encode(EVENTS.slice(2)).toString(),
    `{"create":{"_index":"a","_id":"${eventId('cp-2', EVENTS[2]!)}"}}\n{"node":"cp-2","c":3}\n`,
  );
});

test('the id is 128 bits of a hash over node, source and line, and nothing else', () => {
  const hash = createHash('sha256').update('["cp-1","apiserver"]\n').update(LINES[0]!).digest();
  assert.equal(IDS[0], hash.subarray(0, 16).toString('base64url'));
  assert.match(IDS[0]!, /^[A-Za-z0-9_-]{22}$/);
  assert.equal(new Set(IDS).size, 3, 'two events with one auditID are two');
  const same = httpEvent(LINES[0]!, { tag: 'other', time: 0, path: '/audit.log.1', offset: 0 });
  assert.equal(eventId('cp-1', same), IDS[0]);
  assert.notEqual(eventId('cp-2', EVENTS[0]!), IDS[0]);
  assert.notEqual(eventId('cp-1', { ...EVENTS[0]!, source: 'aggregated' }), IDS[0]);
  assert.notEqual(
    eventId('a","b', { source: 'c', line: Buffer.of() }),
    eventId('a', { source: 'b","c', line: Buffer.of() }),
  );
});

test('fields that are added change the document, never its id', () => {
  const added = newFormat({ format: 'elasticsearch', index: 'a', add: { node: '${node}' } });
  assert.equal(
    added.encode(EVENTS.slice(2)).toString(),
    `{"create":{"_index":"a","_id":"${IDS[2]}"}}\n{"node":"cp-1","c":3}\n`,
  );
});

test('documents of a data stream have @timestamp', () => {
  const encode = (add: Record<string, string>, line: string): string =>
    newFormat({ format: 'elasticsearch', index: 'audit', dataStream: true, add })
      .encode([httpEvent(line)])
      .toString()
      .split('\n')[1]!;
  assert.equal(encode({}, '{"a":1}'), '{"@timestamp":"2026-01-15T09:00:00.123Z","a":1}');
  assert.equal(encode({ '@timestamp': '2026' }, '{"a":1}'), '{"@timestamp":"2026","a":1}');
  assert.equal(encode({}, '{"@timestamp":"own"}'), '{"@timestamp":"own"}');
});

test('without an index the URL names it', () => {
  const plain = newFormat({ format: 'elasticsearch' });
  assert.equal(plain.encode(EVENTS.slice(2)).toString(), `{"create":{"_id":"${IDS[2]}"}}\n{"c":3}\n`);
});

test('requests go to _bulk, and ask for no more than is judged', () => {
  const endpoint = (url: string): URL => format.endpoint(new URL(url));
  assert.equal(endpoint('https://es.example:9200').pathname, '/_bulk');
  assert.equal(endpoint('https://es.example/prefix/').pathname, '/prefix/_bulk');
  assert.equal(endpoint('https://es.example/audit/_bulk').pathname, '/audit/_bulk');
  assert.equal(
    endpoint('https://es.example/?pipeline=p').searchParams.toString(),
    'pipeline=p&filter_path=errors%2Cerror%2Cstatus%2Citems.*._id%2Citems.*.status%2Citems.*.error.type%2C' +
      'items.*.error.reason%2Citems.*.error.caused_by.reason',
  );
  assert.equal(endpoint('https://es.example/?filter_path=items').searchParams.get('filter_path'), 'items');
});

test('each item has its own verdict', () => {
  const items = [ok(IDS[0]), failed(IDS[1], 429, 'es_rejected_execution_exception', 'queue full'), ok(IDS[2])];
  assert.deepEqual(format.judge(bulk(items, { headers: { 'retry-after': '5' } }), EVENTS), [
    { kind: 'delivered' },
    { kind: 'retry', reason: 'item status 429: es_rejected_execution_exception: queue full', retryAfterMs: 5000 },
    { kind: 'delivered' },
  ]);
  const poisoned = {
    create: {
      _id: IDS[0],
      status: 400,
      error: {
        type: 'document_parsing_exception',
        reason: '[1:4] failed to parse field [responseObject.status]',
        caused_by: { type: 'illegal_argument_exception', reason: 'not an\nobject' },
      },
    },
  };
  assert.deepEqual(format.judge(bulk([poisoned, ok(IDS[1]), ok(IDS[2])]), EVENTS)[0], {
    kind: 'rejected',
    reason:
      'item status 400: document_parsing_exception: [1:4] failed to parse field [responseObject.status]: not an object',
  });
});

test('statuses and errors of items have the verdicts of what they mean', () => {
  const table: readonly [status: number, type: string, reason: string, kind: string][] = [
    [200, '', '', 'delivered'],
    [409, 'version_conflict_engine_exception', 'document already exists', 'delivered'],
    [429, 'circuit_breaking_exception', 'too large', 'retry'],
    [429, 'cluster_block_exception', 'disk usage exceeded flood-stage watermark', 'retry'],
    [500, 'exception', 'x', 'retry'],
    [503, 'unavailable_shards_exception', 'primary shard is not active', 'retry'],
    [401, 'security_exception', 'missing authentication', 'blocked'],
    [403, 'cluster_block_exception', 'index read-only / allow delete', 'blocked'],
    [404, 'index_not_found_exception', 'no such index', 'blocked'],
    [400, 'index_closed_exception', 'closed', 'blocked'],
    [
      400,
      'validation_exception',
      'Validation Failed: 1: this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum normal shards open;',
      'blocked',
    ],
    [400, 'illegal_argument_exception', 'pipeline with id [audit] does not exist', 'blocked'],
    [400, 'illegal_argument_exception', 'Limit of total fields [1000] has been exceeded', 'rejected'],
    [400, 'mapper_parsing_exception', 'failed to parse', 'rejected'],
    [400, 'mapper_parsing_exception', "Preview of field's value: 'maximum normal shards open'", 'rejected'],
    [400, 'illegal_argument_exception', 'value: pipeline with id [x] does not exist', 'rejected'],
    [400, 'illegal_argument_exception', 'no write index is defined for alias [audit]', 'blocked'],
    [400, 'strict_dynamic_mapping_exception', 'dynamic introduction is not allowed', 'rejected'],
    [413, 'exception', 'too large', 'rejected'],
    [422, 'exception', 'x', 'rejected'],
  ];
  for (const [status, type, reason, kind] of table) {
    const items = [ok(IDS[0]), failed(IDS[1], status, type, reason), ok(IDS[2])];
    assert.deepEqual(kinds(bulk(items)), ['delivered', kind, 'delivered'], `${status} ${type}`);
  }
});

test('an answer without ids, as others than Elasticsearch give it, is judged by its order', () => {
  const items = [{ create: { status: 201 } }, { create: { status: 400, error: 'bad' } }, { index: { status: 200 } }];
  assert.deepEqual(kinds(answer(200, { took: 0, errors: true, items })), ['delivered', 'rejected', 'delivered']);
});

test('an answer that does not fit the request says nothing of any event', () => {
  const all = ['retry', 'retry', 'retry'];
  const good = IDS.map((id) => ok(id));
  const bad: readonly HttpResponse[] = [
    answer(200, ''),
    answer(200, 'garbage'),
    answer(200, 'null'),
    answer(200, []),
    answer(200, { errors: false }),
    answer(200, { errors: false, items: {} }),
    answer(200, { errors: false, items: [] }),
    answer(200, { errors: false, items: good.slice(1) }),
    answer(200, { errors: false, items: [...good, good[0]] }),
    answer(200, { errors: false, items: [good[1], good[0], good[2]] }),
    answer(200, { errors: false, items: [good[0], good[1], {}] }),
    answer(200, { errors: false, items: [good[0], good[1], null] }),
    answer(200, { errors: false, items: [good[0], good[1], { create: { _id: IDS[2], status: '201' } }] }),
    answer(200, JSON.stringify({ errors: false, items: good }).slice(0, -9)),
    answer(200, { errors: false, items: good }, { complete: false }),
  ];
  for (const response of bad) assert.deepEqual(kinds(response), all, response.body.toString());
  assert.deepEqual(kinds(answer(200, { errors: false, items: good })), ['delivered', 'delivered', 'delivered']);
});

test('an answer that is too long to be read is asked for in halves; for one event it cannot be read', () => {
  const long = answer(200, '{"errors":', { complete: false, isTooLong: true });
  assert.deepEqual(kinds(long), ['split', 'split', 'split']);
  assert.equal(format.judge(long, EVENTS.slice(0, 1))[0]?.kind, 'retry');
});

test('a request that was refused as a whole has one verdict', () => {
  const error = { error: { type: 'illegal_argument_exception', reason: 'Malformed action' }, status: 400 };
  assert.deepEqual(kinds(answer(400, error)), ['split', 'split', 'split']);
  assert.deepEqual(kinds(answer(401, error)), ['blocked', 'blocked', 'blocked']);
  assert.deepEqual(kinds(answer(413)), ['split', 'split', 'split']);
});
