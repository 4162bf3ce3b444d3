import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../src/errors.ts';
import { parseFieldPath } from '../../src/event/field-path.ts';

const valid: [string, (string | number)[]][] = [
  ['stage', ['stage']],
  ['objectRef.namespace', ['objectRef', 'namespace']],
  ['$.a.b', ['a', 'b']],
  ['$.a', ['a']],
  ["$['annotations']['a.b/c']", ['annotations', 'a.b/c']],
  ['$["a"]["it\'s"]', ['a', "it's"]],
  ["annotations['authorization.k8s.io/decision']", ['annotations', 'authorization.k8s.io/decision']],
  ['a.b[0]', ['a', 'b', 0]],
  ['a[0][12].c', ['a', 0, 12, 'c']],
  ['$[3]', [3]],
  ["$['']", ['']],
  ["$['it's']", ["it's"]],
  ["$['$']", ['$']],
  ["$['0']", ['0']],
  ['f:metadata.k/v-é', ['f:metadata', 'k/v-é']],
  ['0.1', ['0', '1']],
];

test('field paths in dots and brackets', () => {
  for (const [text, segments] of valid) assert.deepEqual(parseFieldPath(text), segments, text);
});

const invalid: [string, number, string][] = [
  ['', 1, 'expected a key'],
  ['$', 2, 'expected . or [ after $'],
  ['$a', 2, 'expected . or [ after $'],
  ['.a', 1, 'expected a key'],
  ['a.', 3, 'expected a key'],
  ['a..b', 3, 'expected a key'],
  ['a b', 2, 'expected . or ['],
  [' a', 1, 'expected a key'],
  ['a]', 2, 'expected . or ['],
  ["a['b'", 6, "expected '] to end the key"],
  ["a['b']c", 7, 'expected . or ['],
  ['a["b\']', 7, 'expected "] to end the key'],
  ['a[]', 3, 'expected a key in quotes, or an index'],
  ['a[-1]', 3, 'expected a key in quotes, or an index'],
  ['a[01]', 3, 'expected a key in quotes, or an index'],
  ['a[1', 3, 'expected a key in quotes, or an index'],
  ['a[1.5]', 3, 'expected a key in quotes, or an index'],
  ['a[1234567890]', 3, 'expected a key in quotes, or an index'],
  ['a[b]', 3, 'expected a key in quotes, or an index'],
];

test('a bad field path is refused with the place and what was expected', () => {
  for (const [text, character, expected] of invalid) {
    assert.throws(
      () => parseFieldPath(text),
      (error: unknown) => {
        assert.ok(error instanceof AuditailError);
        assert.equal(error.code, 'FIELD_PATH');
        assert.ok(error.message.includes(`${expected}`), `${text}: ${error.message}`);
        assert.ok(error.message.includes(`at character ${character},`), `${text}: ${error.message}`);
        assert.ok(error.message.includes(JSON.stringify(text)), error.message);
        return true;
      },
    );
  }
});

test('any key can be written in brackets, unless it has both endings', () => {
  const key = fc.string({ unit: fc.oneof(fc.constantFrom("'", '"', '[', ']', '.', '$'), fc.string({ maxLength: 1 })) });
  const segment = fc.oneof(key, fc.nat({ max: 999_999_999 }));
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
      let text = '$';
      for (const part of segments) {
        if (typeof part === 'number') text += `[${part}]`;
        else if (!`${part}']`.slice(0, -2).includes("']") && !part.endsWith("'")) text += `['${part}']`;
        else if (!part.includes('"]') && !part.endsWith('"')) text += `["${part}"]`;
        else return;
      }
      assert.deepEqual(parseFieldPath(text), segments);
    }),
  );
});

test('arbitrary text gives segments or an error of its own, never another', () => {
  const unit = fc.constantFrom('$', '.', '[', ']', "'", '"', 'a', '0', '-', ' ', '\u{1f600}');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
      try {
        assert.ok(parseFieldPath(text).length > 0);
      } catch (error) {
        assert.ok(error instanceof AuditailError, String(error));
      }
    }),
  );
});
