import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../src/errors.ts';
import { checkIndexTemplate, IndexTemplate } from '../../src/route/index-template.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';

const TIME = Date.UTC(2026, 0, 31, 23, 59, 59, 999);

test('tag forms and UTC time fields are rendered', () => {
  const table: readonly [template: string, tag: string, expected: string][] = [
    ['audit', 'audit.default', 'audit'],
    ['audit-${tag[1..]}-%Y.%m.%d', 'audit.default', 'audit-default-2026.01.31'],
    ['audit-${tag[1..]}', 'audit', 'audit-_'],
    ['audit-${tag[1]}', 'audit._none', 'audit-_none'],
    ['audit-${tag}-%H', 'audit.Team/A', 'audit-audit.team%2fa-23'],
    ['x%%', 'a', 'x%'],
    ['${tag[1]}', 'audit._none', 'auditail_none'],
    ['${tag[1]}', 'audit', 'auditail_'],
    ['${tag[1]}', 'audit.-a', 'auditail-a'],
  ];
  for (const [template, tag, expected] of table) {
    assert.equal(new IndexTemplate(template, 'elasticsearch').render(tag, TIME), expected, template);
  }
});

test('a new day is a new index, and late events keep to their own', () => {
  const template = new IndexTemplate('a-%Y.%m.%d', 'elasticsearch');
  assert.equal(template.render('t', TIME), 'a-2026.01.31');
  assert.equal(template.render('t', TIME + 1), 'a-2026.02.01');
  assert.equal(template.render('t', TIME), 'a-2026.01.31');
});

test('names that Splunk does not know are made its own', () => {
  assert.equal(new IndexTemplate('k8s_${tag[1]}', 'splunk').render('a.b%2Fc', TIME), 'k8s_b_2fc');
  assert.equal(new IndexTemplate('${tag}', 'splunk').render('kvstore', TIME), 'kv_store');
  assert.equal(new IndexTemplate('${tag}', 'splunk').render('é.b', TIME), 'auditail_c3_a9_b');
});

test('long names are cut and stay their own', () => {
  const template = new IndexTemplate('a-${tag}', 'elasticsearch');
  const [one, other] = [template.render(`${'x'.repeat(400)}1`, TIME), template.render(`${'x'.repeat(400)}2`, TIME)];
  assert.equal(Buffer.byteLength(one), 255);
  assert.notEqual(one, other);
});

test('whatever the tag, the name is legal and the same each time', () => {
  const tag = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('..', '.', '', '_x', '\ud800'));
  for (const template of ['${tag}', '${tag[1]}', 'x-${tag[1..]}-%Y']) {
    const elasticsearch = new IndexTemplate(template, 'elasticsearch');
    const splunk = new IndexTemplate(template, 'splunk');
    const property = fc.property(tag, (tag) => {
      const name = elasticsearch.render(tag, TIME);
      assert.match(name, /^[a-z0-9~%][a-z0-9~%._-]*$/);
      assert.ok(Buffer.byteLength(name) <= 255);
      assert.equal(elasticsearch.render(tag, TIME), name);
      assert.match(splunk.render(tag, TIME), /^[a-z0-9][a-z0-9_-]{0,254}$/);
    });
    fc.assert(property, fuzz(300));
  }
});

test('templates that can name no index are errors with the reason', () => {
  const table: readonly [template: string, rules: 'elasticsearch' | 'splunk', message: RegExp][] = [
    ['', 'elasticsearch', /empty/],
    ['_audit', 'elasticsearch', /begins with '_'/],
    ['.audit', 'elasticsearch', /begins with '\.'/],
    ['Audit', 'elasticsearch', /lower case/],
    ['a b', 'elasticsearch', /" " cannot stand/],
    ['a:b', 'elasticsearch', /":" cannot stand/],
    ['a/b', 'elasticsearch', /"\/" cannot stand/],
    ['a.b', 'splunk', /"\." cannot stand/],
    ['a-%Q', 'elasticsearch', /'%Q' is not a known time field/],
    ['a-${node}', 'elasticsearch', /'\$\{node\}' is not known/],
    ['a-$1', 'elasticsearch', /no capture/],
    ['a'.repeat(200), 'elasticsearch', /too long/],
  ];
  for (const [template, rules, message] of table) {
    assert.throws(
      () => checkIndexTemplate(template, rules),
      (error) => error instanceof AuditailError && error.code === 'TEMPLATE' && message.test(error.message),
      template,
    );
  }
  checkIndexTemplate('audit-${tag[1..]}-%Y.%m.%d', 'elasticsearch');
});
