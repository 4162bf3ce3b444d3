import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { renderYaml, type YamlMapping, type YamlValue } from '../../src/config/render-yaml.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('0640', 'yes', '1e3', '# x', '', '~', '${tag}.$1', 'a: b', '**'),
);

const { value } = fc.letrec<{ value: YamlValue; mapping: YamlMapping }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.integer(),
    fc.boolean(),
    fc.array(text),
    tie('mapping'),
    fc.array(tie('mapping'), { maxLength: 3 }),
  ),
  mapping: fc
    .uniqueArray(fc.record({ key: text, value: tie('value'), comment: fc.option(text, { nil: undefined }) }), {
      maxLength: 4,
      selector: ({ key }) => key,
    })
    .map((entries) => ({ entries: entries.filter(({ key }) => key !== '__proto__') })),
}));

function plain(given: YamlValue): unknown {
  if (typeof given !== 'object') return given;
  if (Array.isArray(given)) return given.map(plain);
  return Object.fromEntries((given as YamlMapping).entries.map((entry) => [entry.key, plain(entry.value)]));
}

test('what is rendered is read back as it was, whatever the comments hold', () => {
  fc.assert(
    fc.property(text, value, text, (key, given, comment) => {
      const rendered = renderYaml({ entries: [{ key: `k${key}`, value: given, comment }] });
      assert.deepEqual(load(rendered), plain({ entries: [{ key: `k${key}`, value: given }] }));
    }),
  );
});
