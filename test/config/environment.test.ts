import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandEnvironment } from '../../src/config/environment.ts';

const ENV = { HOST: 'cp-1', EMPTY: '', NESTED: '${env:HOST}' };

function expanded(value: unknown): unknown {
  const result = expandEnvironment(value, ENV);
  assert.deepEqual(result.problems, []);
  return result.value;
}

test('references are replaced in string values at every level, and keys stay', () => {
  assert.deepEqual(expanded({ a: '${env:HOST}', b: ['x-${env:HOST}-${env:HOST}', 3, null], '${env:HOST}': true }), {
    a: 'cp-1',
    b: ['x-cp-1-cp-1', 3, null],
    '${env:HOST}': true,
  });
  assert.equal(expanded('${env:EMPTY}|'), '|');
});

test('$${ is a literal ${, and templates are left alone', () => {
  assert.equal(expanded('$${env:HOST}'), '${env:HOST}');
  assert.equal(expanded('${tag}.$1 ${tag[1..]} $$ $ {env:HOST}'), '${tag}.$1 ${tag[1..]} $$ $ {env:HOST}');
});

test('what a variable holds is not expanded again', () => {
  assert.equal(expanded('${env:NESTED}'), '${env:HOST}');
});

test('a variable that is unset, or no variable, is a problem with its path', () => {
  const { value, problems } = expandEnvironment(
    { a: ['${env:NOPE}'], b: '${env:A-B}', c: '${env:HOST', d: '${env:}' },
    ENV,
  );
  assert.deepEqual(
    problems.map(({ path, message }) => `${path.join('.')}: ${message}`),
    [
      'a.0: the environment variable NOPE is not set',
      'b: expected ${env:NAME} with letters, digits and _ in NAME',
      'c: expected ${env:NAME} with letters, digits and _ in NAME',
      'd: expected ${env:NAME} with letters, digits and _ in NAME',
    ],
  );
  assert.deepEqual((value as { a: unknown }).a, ['${env:NOPE}']);
});

test('inherited names are no variables', () => {
  assert.equal(expandEnvironment('${env:toString}', ENV).problems.length, 1);
  assert.deepEqual(
    expanded(JSON.parse('{"__proto__": {"a": "${env:HOST}"}}')),
    JSON.parse('{"__proto__": {"a": "cp-1"}}'),
  );
});

test('a shared node is expanded once, also one that holds itself', () => {
  const shared: Record<string, unknown> = { text: '$${x}' };
  shared.self = shared;
  const result = expanded({ a: shared, b: shared }) as Record<string, Record<string, unknown>>;
  assert.equal(result.a?.text, '${x}');
  assert.equal(result.b?.text, '${x}');
  assert.equal(shared.text, '$${x}', 'the given value is not changed');
});
