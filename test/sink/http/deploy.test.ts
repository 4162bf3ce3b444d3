import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AuditEvents } from '../../../bench/audit-events.ts';

const DIR = path.resolve(import.meta.dirname, '../../../deploy/elasticsearch');

/** Field paths of Event in k8s.io/apiserver, pkg/apis/audit/v1/types.go, with what its types bring along. */
const EVENT_FIELDS = new Set(
  [
    'kind apiVersion level auditID stage requestURI verb userAgent sourceIPs',
    'user.username user.uid user.groups user.extra',
    'impersonatedUser.username impersonatedUser.uid impersonatedUser.groups impersonatedUser.extra',
    'objectRef.resource objectRef.namespace objectRef.name objectRef.uid objectRef.apiGroup objectRef.apiVersion',
    'objectRef.resourceVersion objectRef.subresource',
    'responseStatus.status responseStatus.message responseStatus.reason responseStatus.details responseStatus.code',
    'requestObject responseObject requestReceivedTimestamp stageTimestamp annotations',
  ].flatMap((line) => line.split(' ')),
);

/** What auditail itself sends: fields that the documents tell to add, and those of a line that is no event. */
const OWN_FIELDS = new Set(['@timestamp', 'node', 'cluster', 'tag', 'message', 'reason']);

/** Free-form objects: each is one field or none, or any of their keys could spoil the mapping. */
const OBJECTS = [
  'requestObject',
  'responseObject',
  'annotations',
  'user.extra',
  'impersonatedUser.extra',
  'responseStatus.details',
];

interface Mapping {
  readonly type?: string;
  readonly enabled?: boolean;
  readonly properties?: Readonly<Record<string, Mapping>>;
}

const read = (file: string): string => fs.readFileSync(path.join(DIR, file), 'utf8');

function mappedFields(file: string): Map<string, Mapping> {
  const { template } = JSON.parse(read(file)) as { template: { mappings: Mapping & { dynamic: unknown } } };
  assert.equal(template.mappings.dynamic, false);
  const fields = new Map<string, Mapping>();
  const collect = (mapping: Mapping, prefix: string): void => {
    for (const [name, child] of Object.entries(mapping.properties ?? {})) {
      if (child.properties === undefined) fields.set(prefix + name, child);
      collect(child, `${prefix}${name}.`);
    }
  };
  collect(template.mappings, '');
  return fields;
}

/** Types that hold an object in one field: of Elasticsearch, and of OpenSearch. */
const WHOLE = new Set(['flattened', 'flat_object']);

const TEMPLATES = [
  { file: 'index-template.json', isStream: false },
  { file: 'data-stream-template.json', isStream: true },
  { file: 'opensearch-index-template.json', isStream: false },
  { file: 'opensearch-data-stream-template.json', isStream: true },
];

for (const { file, isStream } of TEMPLATES) {
  test(`${file} maps each field of an event, and no other`, () => {
    const fields = mappedFields(file);
    assert.deepEqual([...fields.keys()].toSorted(), [...EVENT_FIELDS, ...OWN_FIELDS].toSorted());
    const held = [...fields].filter(([, { type, enabled }]) => WHOLE.has(type!) || enabled === false);
    assert.deepEqual(held.map(([name]) => name).toSorted(), OBJECTS.toSorted());
    assert.equal('data_stream' in JSON.parse(read(file)), isStream);
  });
}

test('no field of a realistic event is unmapped', () => {
  const fields = mappedFields('index-template.json');
  const unmapped = new Set<string>();
  for (const line of new AuditEvents({ count: 500 })) {
    for (const [key, value] of Object.entries(JSON.parse(line) as Record<string, unknown>)) {
      if (fields.has(key)) continue;
      for (const child of Object.keys(value as object)) {
        if (!fields.has(`${key}.${child}`)) unmapped.add(`${key}.${child}`);
      }
    }
  }
  // metav1.Status has list metadata, which is empty in an audit event.
  assert.deepEqual([...unmapped], ['responseStatus.metadata']);
});

interface SavedObject {
  readonly id: string;
  readonly type: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly { readonly id: string; readonly type: string; readonly name: string }[];
}

const savedObjects = (): SavedObject[] =>
  read('kibana-saved-objects.ndjson')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SavedObject);

test('saved objects refer to each other only, and hold what Kibana calls JSON', () => {
  const objects = savedObjects();
  const known = new Set(objects.map(({ type, id }) => `${type} ${id}`));
  assert.equal(known.size, objects.length);
  for (const { id, attributes, references } of objects) {
    for (const reference of references) assert.ok(known.has(`${reference.type} ${reference.id}`), reference.id);
    const names = new Set(references.map(({ name }) => name));
    const meta = attributes.kibanaSavedObjectMeta as { searchSourceJSON: string } | undefined;
    for (const text of [attributes.visState, attributes.panelsJSON, attributes.optionsJSON, meta?.searchSourceJSON]) {
      if (typeof text !== 'string') continue;
      const json = JSON.stringify(JSON.parse(text));
      for (const [, name] of json.matchAll(/"(?:indexRefName|panelRefName)":"([^"]+)"/g)) {
        assert.ok(names.has(name!), `${id}: ${name}`);
      }
    }
  }
});

test('saved objects name mapped fields only, and the data view has all indexes of the templates', () => {
  const fields = mappedFields('index-template.json');
  const named: string[] = [];
  for (const { attributes } of savedObjects()) {
    named.push(...((attributes.columns as string[] | undefined) ?? []));
    named.push(...((attributes.sort as [string, string][] | undefined) ?? []).map(([field]) => field));
    if (typeof attributes.timeFieldName === 'string') named.push(attributes.timeFieldName);
    const { searchSourceJSON = '{}' } = (attributes.kibanaSavedObjectMeta ?? {}) as { searchSourceJSON?: string };
    const { query } = JSON.parse(searchSourceJSON) as { query?: { query: string } };
    for (const [, field] of (query?.query ?? '').matchAll(/([\w@.]+) *:/g)) named.push(field!);
    const { aggs = [] } = JSON.parse((attributes.visState as string | undefined) ?? '{}') as {
      aggs?: { params: { field?: string } }[];
    };
    named.push(...aggs.flatMap(({ params }) => params.field ?? []));
  }
  assert.ok(named.length > 40);
  for (const field of named) assert.ok(fields.has(field), field);
  const view = savedObjects().find(({ type }) => type === 'index-pattern')!;
  const patterns = TEMPLATES.flatMap(({ file }) => JSON.parse(read(file)).index_patterns);
  assert.deepEqual((view.attributes.title as string).split(',').toSorted(), [...new Set(patterns)].toSorted());
});
