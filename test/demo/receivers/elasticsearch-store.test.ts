import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ElasticsearchStore } from '../../../demo/receivers/elasticsearch-store.ts';
import type { Answer, ItemFault } from '../../../demo/receivers/store.ts';
import { post } from './requests.ts';

const TYPE = 'application/x-ndjson';

type Action = { _index?: string; _id?: string; [name: string]: unknown };

function bulk(...items: [Action, string | Buffer][]): Buffer {
  return Buffer.concat(
    items.flatMap(([create, source]) => [
      Buffer.from(`${JSON.stringify({ create })}\n`),
      Buffer.from(source),
      Buffer.from('\n'),
    ]),
  );
}

interface BulkAnswer {
  readonly errors: boolean;
  readonly items: readonly {
    readonly create: { readonly status: number; readonly error?: { readonly type: string } };
  }[];
}

function itemsOf(answer: Answer): { errors: boolean; statuses: number[]; types: (string | undefined)[] } {
  assert.equal(answer.status, 200, answer.body);
  const { errors, items } = JSON.parse(answer.body) as BulkAnswer;
  return {
    errors,
    statuses: items.map(({ create }) => create.status),
    types: items.map(({ create }) => create.error?.type),
  };
}

describe('the Elasticsearch receiver', () => {
  test('creates a document once, and answers 409 when its id is known in the index', () => {
    const store = new ElasticsearchStore();
    const body = bulk([{ _index: 'a', _id: '1' }, '{"n":1}'], [{ _index: 'a', _id: '2' }, '{"n":2}']);
    assert.deepEqual(itemsOf(store.take(post('/_bulk', TYPE, body))), {
      errors: false,
      statuses: [201, 201],
      types: [undefined, undefined],
    });
    const again = bulk([{ _index: 'a', _id: '2' }, '{"n":2}'], [{ _index: 'a', _id: '3' }, '{"n":3}']);
    const { errors, statuses } = itemsOf(store.take(post('/_bulk', TYPE, again)));
    assert.deepEqual([errors, statuses], [true, [409, 201]]);
    assert.deepEqual([store.stored.total, store.conflicts, store.idsInSeveralIndexes], [3, 1, 0]);
  });

  test('stores an id again in another index, and tells so', () => {
    const store = new ElasticsearchStore();
    store.take(post('/_bulk', TYPE, bulk([{ _index: 'a', _id: '1' }, '{}'], [{ _index: 'b', _id: '1' }, '{}'])));
    assert.deepEqual([store.stored.total, store.idsInSeveralIndexes, store.indexes], [2, 1, ['a', 'b']]);
  });

  test('makes an id where none is given, a new one each time', () => {
    const store = new ElasticsearchStore();
    const body = bulk([{}, '{"n":1}']);
    for (let i = 0; i < 2; i++) assert.deepEqual(itemsOf(store.take(post('/audit/_bulk', TYPE, body))).statuses, [201]);
    assert.deepEqual([store.stored.times('{"n":1}'), store.indexes], [2, ['audit']]);
  });

  test('refuses each document that is none, alone and in its place', () => {
    const store = new ElasticsearchStore({ poison: (line) => line.includes('poison') });
    const sources = [
      '{"n":1}',
      '[]',
      '1',
      '',
      '{"n":',
      '{} {}',
      Buffer.from('{"a":"\xff"}', 'latin1'),
      '{"poison":1}',
      '{"n":2}',
    ];
    const answer = store.take(
      post(
        '/_bulk',
        TYPE,
        bulk(...sources.map((source, i): [Action, string | Buffer] => [{ _index: 'a', _id: `${i}` }, source])),
      ),
    );
    const { statuses, types } = itemsOf(answer);
    assert.deepEqual(statuses, [201, ...Array<number>(7).fill(400), 201]);
    assert.deepEqual(new Set(types.slice(1, 7)), new Set(['document_parsing_exception']));
    assert.equal(types[7], 'mapper_parsing_exception');
    assert.equal(store.stored.total, 2);
  });

  test('refuses names that no index can have', () => {
    const store = new ElasticsearchStore();
    const names = ['Upper', '_a', '-a', '+a', '.', '..', 'a/b', 'a b', 'a,b', 'a*', 'a#b', 'a:b', '', 'a'.repeat(256)];
    const items = names.map((name): [Action, string] => [{ _index: name, _id: '1' }, '{}']);
    const { types } = itemsOf(store.take(post('/_bulk', TYPE, bulk(...items))));
    assert.deepEqual(types, Array(names.length).fill('invalid_index_name_exception'));
    assert.deepEqual(
      itemsOf(store.take(post('/_bulk', TYPE, bulk([{ _index: 'audit-_none-2026.01.02' }, '{}'])))).statuses,
      [201],
    );
  });

  test('refuses items as it is told, without storing them', () => {
    const store = new ElasticsearchStore();
    const items = [0, 1, 2, 3].map((n): [Action, string] => [{ _index: 'a', _id: `${n}` }, `{"n":${n}}`]);
    const faults: (ItemFault | undefined)[] = [429, undefined, 503, 400];
    const { errors, statuses } = itemsOf(
      store.take(post('/_bulk', TYPE, bulk(...items)), (position) => faults[position]),
    );
    assert.deepEqual([errors, statuses], [true, [429, 201, 503, 400]]);
    assert.deepEqual(
      [0, 1, 2, 3].map((n) => store.stored.times(`{"n":${n}}`)),
      [0, 1, 0, 0],
    );
  });

  test('refuses a request as a whole that is no bulk request', () => {
    const store = new ElasticsearchStore();
    const good = '{"create":{"_index":"a","_id":"1"}}\n{}\n';
    const wrong: [string, RegExp][] = [
      ['', /request body is required/],
      [good.slice(0, -1), /must be terminated by a newline/],
      [`${good}{"create":{"_index":"a"}}\n`, /line \[3\] has no source/],
      [`${good}\n{}\n`, /x_content_parse_exception/],
      [`${good}{"index":{"_index":"a"}}\n{}\n`, /line \[3\], expected field \[create\]/],
      ['{"create":{"_index":"a"},"x":1}\n{}\n', /expected END_OBJECT/],
      ['{"create":"a"}\n{}\n', /expected START_OBJECT/],
      ['[]\n{}\n', /expected START_OBJECT/],
      ['{"create":{"_index":"a","_type":"_doc"}}\n{}\n', /unknown parameter \[_type\]/],
      ['{"create":{"_index":["a"]}}\n{}\n', /found an object/],
      ['{"create":{"_id":"1"}}\n{}\n', /index is missing/],
      ['{"create":{"_index":"a","_id":""}}\n{}\n', /must not be empty/],
      [`{"create":{"_index":"a","_id":"${'x'.repeat(513)}"}}\n{}\n`, /id is too long/],
    ];
    for (const [body, reason] of wrong) {
      const answer = store.take(post('/_bulk', TYPE, body));
      assert.equal(answer.status, 400, body);
      assert.match(answer.body, reason);
    }
    assert.equal(store.take({ ...post('/_bulk', TYPE, good), method: 'GET' }).status, 405);
    assert.equal(store.take(post('/bulk', TYPE, good)).status, 404);
    assert.equal(store.take(post('/_bulk', 'text/plain', good)).status, 406);
    assert.equal(store.stored.total, 0);
  });
});
