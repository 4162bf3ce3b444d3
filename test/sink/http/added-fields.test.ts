import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../../src/errors.ts';
import { AddedFields, type AddedValue, checkAddedField } from '../../../src/sink/http/added-fields.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';
import { eventLine, httpEvent } from './http-events.ts';

const ORIGIN = { node: 'cp-1', cluster: 'blue' };

function add(fields: Record<string, AddedValue>, line: string | Buffer): string {
  return new AddedFields(fields, ORIGIN).apply(httpEvent(line)).toString();
}

test('fields stand right behind the opening brace, the rest is untouched', () => {
  assert.equal(add({ node: '${node}' }, '{"a": 1.50 ,"b":2}'), '{"node":"cp-1","a": 1.50 ,"b":2}');
  assert.equal(add({ a: 1, b: true, c: 'x' }, '{}'), '{"a":1,"b":true,"c":"x"}');
  assert.equal(add({ a: 1 }, ' { \t} '), ' {"a":1 \t} ');
  assert.equal(add({ a: 1 }, '{\r"b":2}\r'), '{"a":1,\r"b":2}\r');
  assert.equal(add({}, '{"a":1}'), '{"a":1}');
});

test('values are templates of the event', () => {
  const fields = { t: '${tag}', ns: '${tag[1]}', at: '${time}', from: '${source}@${node}/${cluster}', price: '$$5' };
  const line = '{"t":1,"x":2}';
  assert.equal(
    add(fields, line),
    `{"ns":"default","at":"2026-01-15T09:00:00.123Z","from":"apiserver@cp-1/blue","price":"$5",${line.slice(1)}`,
  );
});

test('what the event has at its top level stays its own', () => {
  assert.equal(add({ node: 'x' }, '{"node":null}'), '{"node":null}');
  assert.equal(add({ node: 'x' }, '{"n\\u006fde":{}}'), '{"n\\u006fde":{}}');
  assert.equal(add({ 'a.b': 1 }, '{"a":{"b":2}}'), '{"a.b":1,"a":{"b":2}}');
  assert.equal(add({ node: 'x' }, '{"a":{"node":1}}'), '{"node":"x","a":{"node":1}}');
});

test('no value breaks out of its string', () => {
  const fields = new AddedFields({ 't"': '${tag}"\\\n\u2028' }, ORIGIN);
  const line = fields.apply(httpEvent('{}', { tag: 'a"}\ud800\0' })).toString();
  assert.deepEqual(JSON.parse(line), { 't"': 'a"}\ud800\0"\\\n\u2028' });
});

test('any event keeps its content and gets what it lacks', () => {
  const names = fc.constantFrom('objectRef', 'a', '@timestamp', '__proto__', `']`, '"]', '\u{1f600}', '$', 'x.y[0]');
  const property = fc.property(eventLine, fc.uniqueArray(names, { maxLength: 4 }), (line, names) => {
    const fields = new AddedFields(Object.fromEntries(names.map((name) => [name, '${tag}'])), ORIGIN);
    const changed = JSON.parse(fields.apply(httpEvent(line)).toString());
    const expected = JSON.parse(line.toString());
    for (const name of names) {
      if (!Object.hasOwn(expected, name)) {
        Object.defineProperty(expected, name, { value: 'audit.default', enumerable: true });
      }
    }
    assert.deepEqual({ ...changed }, { ...expected });
    assert.ok(names.every((name) => Object.hasOwn(changed, name)));
  });
  fc.assert(property, fuzz(1000));
});

test('a time that no Date can hold fails nothing', () => {
  const fields = new AddedFields({ at: '${time}' }, ORIGIN);
  assert.equal(fields.apply(httpEvent('{}', { time: 9e18 })).toString(), '{"at":"+275760-09-13T00:00:00.000Z"}');
});

test('fields that cannot be added are errors with the reason', () => {
  const table: readonly [name: string, value: AddedValue, message: RegExp][] = [
    ['', 'x', /no name/],
    [`']"]`, 'x', /both '\] and "\]/],
    ['a', '${host}', /'\$\{host\}' is not known/],
    ['a', '${node', /never closed/],
    ['a', '${cluster}', /no cluster/],
    ['a', Number.NaN, /JSON cannot hold/],
  ];
  for (const [name, value, message] of table) {
    assert.throws(
      () => checkAddedField(name, value, undefined),
      (error) => error instanceof AuditailError && error.code === 'TEMPLATE' && message.test(error.message),
      name,
    );
  }
  assert.throws(() => new AddedFields({ a: '${cluster}' }, { node: 'n', cluster: undefined }), /no cluster/);
});
