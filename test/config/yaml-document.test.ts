import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/config-error.ts';
import { YamlDocument } from '../../src/config/yaml-document.ts';

function at(text: string, ...path: (string | number)[]): string {
  const { line, column } = new YamlDocument(text, 'f').locate(path);
  return `${line}:${column}`;
}

function failure(text: string): string {
  try {
    new YamlDocument(text, 'f');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no error';
}

test('values are located in block and flow style, quoted or not', () => {
  const text = 'a: 1\nb:\n  - x\n  - "y"\n  - { c: \'z\', d: [1, 2] }\n"q r":   5\n';
  assert.equal(at(text, 'a'), '1:4');
  assert.equal(at(text, 'b'), '3:3');
  assert.equal(at(text, 'b', 0), '3:5');
  assert.equal(at(text, 'b', 1), '4:5', 'the quote belongs to the value');
  assert.equal(at(text, 'b', 2, 'c'), '5:10');
  assert.equal(at(text, 'b', 2, 'd', 1), '5:22');
  assert.equal(at(text, 'q r'), '6:10');
});

test('what is missing is located at its nearest ancestor, an empty value at its key', () => {
  assert.equal(at('a:\n  b: 1\n', 'a', 'c', 'd'), '2:3');
  assert.equal(at('x: 1\na:\n', 'a'), '2:1');
  assert.equal(at('', 'a'), '1:1');
  assert.equal(at('# nothing\n'), '1:1');
});

test('lines may end in CRLF, columns count characters', () => {
  assert.equal(at('a: 1\r\nb: 2\r\n', 'b'), '2:4');
  assert.equal(at('a: {ä: 1, b: 2}\n', 'a', 'b'), '1:14');
});

test('aliases are located where they stand, and what is inside where it was written', () => {
  const text = 'base: &b\n  x: 1\nuse: *b\nmore:\n  <<: *b\n  y: 2\nlist:\n  <<: [*b]\n';
  assert.equal(at(text, 'use'), '3:6');
  assert.equal(at(text, 'use', 'x'), '2:6');
  assert.equal(at(text, 'more', 'x'), '2:6', 'through a merge');
  assert.equal(at(text, 'list', 'x'), '2:6', 'through a merge of a list');
  assert.equal(at(text, 'more', 'y'), '6:6');
  assert.deepEqual((new YamlDocument(text, 'f').value as Record<string, unknown>).more, { x: 1, y: 2 });
});

test('a mapping that holds itself is located without end', () => {
  assert.equal(at('a: &a\n  b: *a\n  c: 1\n', 'a', 'b', 'b', 'c'), '3:6');
  assert.equal(at('a: &a\n  <<: *a\n', 'a', 'c'), '2:3');
});

test('keys that stand twice are all told', () => {
  const { duplicates } = new YamlDocument('a: 1\nb: {c: 1, "c": 2}\na: 3\na: 4\n', 'f');
  assert.deepEqual(
    duplicates.map(({ path, position }) => `${path.join('.')} ${position.line}:${position.column}`),
    ['b.c 2:11', 'a 3:1', 'a 4:1'],
  );
});

test('syntax errors have their place', () => {
  assert.equal(failure('a: [1,\nb: 2\n'), 'f:2:1: not valid YAML: deficient indentation');
  const alias = 'an alias that is not defined before; put text that begins with * in quotes';
  assert.equal(failure('a: *nope\n'), `f:1:5: not valid YAML: ${alias}`);
  assert.equal(failure('a: "\\q"\n'), 'f:1:6: not valid YAML: unknown escape sequence');
  assert.match(failure('a: 1\n---\nb: 2\n'), /^f:3:1: not valid YAML: a second YAML document/);
  assert.match(failure('a: !!js/function x\n'), /^f:1:4: not valid YAML: a tag that is not known/);
});

test('alias bombs are refused', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i}: &l${i} [${`*l${i - 1},`.repeat(i === 0 ? 0 : 10)}]`);
  assert.match(failure(levels.join('\n')), /alias/);
  assert.match(failure('['.repeat(5000)), /not valid YAML/);
});

test('property: any text gives a value or a ConfigError with a place inside it', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '"',
    "'",
    '|',
    '>',
    '#',
    '<<: ',
    '\t',
    '!',
    '%',
    '---\n',
    ',',
    '?',
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
      (text) => {
        try {
          const { line } = new YamlDocument(text, 'f').locate(['a', 0, 'a']);
          assert.ok(line <= text.split('\n').length);
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.ok((error.issues[0]?.line ?? 0) <= text.split('\n').length);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
