import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Conversion } from '../../src/convert/convert.ts';
import { convertText } from './convert-text.ts';

const key = fc.oneof(
  fc.constantFrom(
    'path',
    'tag',
    'format',
    'compress',
    'append',
    'flush_interval',
    'retry_wait',
    'buffer_type',
    'index_name',
    'host',
    'hec_host',
    'url',
    'endpoint',
    'labels',
    'headers',
    'key',
    'pattern',
    'rule',
    'Regex',
    'Match',
    'Path',
    'DB',
    'Parser',
    'Rotate_Wait',
    'exclude_path',
    'timekey',
    'user',
    'remove_keys',
    'subtype',
    'rewriterule1',
    'logstash_format',
    'tls',
    'Header',
    'Add',
    'custom_headers',
    'extra_labels',
  ),
  fc.stringMatching(/^[a-z_]{1,12}$/),
);
const value = fc.oneof(
  fc.constantFrom(
    'true',
    '10s',
    '8m',
    '/var/log/x.log',
    'audit.${tag}',
    'json',
    '{"a":"b"}',
    '[]',
    '{',
    'a b c',
    '^x$',
    '$1',
    '',
    '${tag[1]}',
    'gzip',
    '%Y',
    'http://h:1',
    "$objectRef['namespace'] ^(.+)$ a.$1 true",
  ),
  fc.stringMatching(/^[a-z0-9./*]{1,10}$/),
);
const params = fc.array(fc.tuple(key, value), { maxLength: 6 });
const sub = fc.record({
  name: fc.constantFrom(
    'buffer',
    'rule',
    'record',
    'parse',
    'format',
    'regexp',
    'exclude',
    'or',
    'and',
    'store',
    'template',
    'case',
    'auth',
    'label',
    'other',
    'secondary',
  ),
  params,
});
const top = fc.record({
  name: fc.constantFrom('source', 'filter', 'match', 'label', 'system', 'other'),
  arg: fc.constantFrom('audit', 'audit.**', '**', '@X', '@ERROR', '/a/', 'a{'),
  type: fc.constantFrom(
    'tail',
    'file',
    'http',
    'elasticsearch',
    'loki',
    'splunk_hec',
    'forest',
    'copy',
    'relabel',
    'null',
    'rewrite_tag_filter',
    'record_transformer',
    'grep',
    'stdout',
    'route',
  ),
  params,
  subs: fc.array(sub, { maxLength: 3 }),
});

/** Every line that holds a parameter is told of: at the line, or as a part of a section that is told of whole. */
function assertNothingSilent({ warnings, notes, translated }: Conversion, text: string, isSectionStart: RegExp): void {
  const told = new Set([...warnings, ...notes, ...translated].map(({ line }) => line));
  const whole = new Set([...warnings, ...notes].filter((finding) => finding.whole === true).map(({ line }) => line));
  const open: number[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line.startsWith('</')) open.pop();
    else if (isSectionStart.test(line)) open.push(index + 1);
    else if (line !== '')
      assert.ok(
        told.has(index + 1) || open.some((start) => whole.has(start)),
        `line ${index + 1} is silent: ${line}\n${text}`,
      );
    if (line.startsWith('[')) open.splice(0, open.length, index + 1);
  }
}

test('no parameter of a fluentd configuration is passed over in silence', () => {
  fc.assert(
    fc.property(fc.array(top, { minLength: 1, maxLength: 5 }), (sections) => {
      const write = (list: readonly (readonly [string, string])[]) =>
        list.map(([name, text]) => `  ${name} ${text.replace(/^[[{"'].*[^\]}]$|^\{$/, 'x')}`);
      const text = sections
        .flatMap(({ name, arg, type, params: own, subs }) => [
          `<${name} ${arg}>`,
          `  @type ${type}`,
          ...write(own),
          ...subs.flatMap((one) => [`<${one.name}>`, ...write(one.params), `</${one.name}>`]),
          `</${name}>`,
        ])
        .join('\n');
      assertNothingSilent(convertText(text, {}, 'fluentd'), text, /^</);
    }),
    { numRuns: 50 },
  );
});

test('no parameter of a Fluent Bit configuration is passed over in silence', () => {
  const section = fc.record({
    name: fc.constantFrom('INPUT', 'FILTER', 'OUTPUT', 'SERVICE', 'PARSER'),
    type: fc.constantFrom(
      'tail',
      'rewrite_tag',
      'modify',
      'grep',
      'file',
      'http',
      'es',
      'loki',
      'splunk',
      'null',
      'record_modifier',
      'kubernetes',
    ),
    params,
  });
  fc.assert(
    fc.property(fc.array(section, { minLength: 1, maxLength: 5 }), (sections) => {
      const text = sections
        .flatMap(({ name, type, params: own }) => [
          `[${name}]`,
          `  Name ${type}`,
          ...own.map(([one, given]) => `  ${one} ${given}`),
        ])
        .join('\n');
      assertNothingSilent(convertText(text, {}, 'fluent-bit'), text, /^\[/);
    }),
    { numRuns: 50 },
  );
});
