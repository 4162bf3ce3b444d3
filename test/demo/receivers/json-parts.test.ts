import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { elementsOf, memberOf, valuesOf } from '../../../demo/receivers/json-parts.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';

/** JSON texts of one value, also with white space in them. */
const json = fc
  .tuple(fc.jsonValue(), fc.constantFrom(0, 1, '\t'))
  .map(([value, indent]) => JSON.stringify(value, undefined, indent));

const texts = (parts: Iterable<Buffer>): string[] => [...parts].map((part) => part.toString());

describe('parts of JSON', () => {
  test('elements and members come out as they stand there', () => {
    fc.assert(
      fc.property(fc.array(json), fc.constantFrom('', ' ', '\r\n'), (elements, space) => {
        const array = `${space}[${space}${elements.join(`${space},${space}`)}${space}]`;
        assert.deepEqual(texts(elementsOf(Buffer.from(array))), elements);
        const members = elements.map((text, i) => `${JSON.stringify(`"\\${i}`)}${space}:${space}${text}`);
        const object = Buffer.from(`{${space}${members.join(`${space},${space}`)}${space}}`);
        for (const [i, text] of elements.entries()) assert.equal(memberOf(object, `"\\${i}`)?.toString(), text);
        assert.equal(memberOf(object, 'other'), undefined);
      }),
      fuzz(200),
    );
  });

  test('objects that follow each other', () => {
    const objects = ['{"a":"}{"}', '{}', '{"b":[{"c":"\\""}]}'];
    for (const space of ['', '\n', ' \r\n\t'])
      assert.deepEqual(texts(valuesOf(Buffer.from(objects.join(space) + space))), objects);
  });

  test('what has no end, or no beginning, is an error', () => {
    for (const text of ['{"a":1', '{"a', '["\\"', '}', '{}]', ',']) {
      assert.throws(() => texts(valuesOf(Buffer.from(text))), SyntaxError, text);
    }
  });

  test('of a repeated member the last counts', () => {
    assert.equal(memberOf(Buffer.from('{"a":1,"a":2}'), 'a')?.toString(), '2');
  });
});
