import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Findings } from '../../src/convert/findings.ts';
import { parseFluentBit } from '../../src/convert/fluent-bit/parse-fluent-bit.ts';
import { parseFluentd } from '../../src/convert/fluentd/parse-fluentd.ts';
import type { Section } from '../../src/convert/section.ts';
import { convertText } from './convert-text.ts';

function filesOf(further: Readonly<Record<string, string>>) {
  return {
    read: (file: string) => further[file] ?? assert.fail(file),
    glob: (pattern: string) =>
      Object.keys(further)
        .filter((name) => new RegExp(`^${pattern.replaceAll('*', '[^/]*')}$`).test(name))
        .sort(),
  };
}

function plain(section: Section): unknown {
  const params = Object.fromEntries(section.params.map(({ key, value }) => [key, value]));
  const inside = section.sections.map((child) => [`${child.name} ${child.arg}`.trim(), plain(child)]);
  return inside.length === 0 ? params : [params, ...inside];
}

function fluentd(text: string, further: Readonly<Record<string, string>> = {}) {
  const findings = new Findings();
  return {
    tree: plain(parseFluentd(text, 'etc/main.conf', filesOf(further), findings)),
    warnings: findings.of('warning'),
  };
}

test('fluentd: sections, comments, values and quotes', () => {
  const { tree } = fluentd(`
# comment
<match a.** "b c">   # behind
  @type file
  plain /x#y/z   # a comment
  empty
  single 'a \\'b\\' # "c" #{d}'
  double "a\\tb \\"c\\" \\#{d}
next \\
line"
  array ["a", # one
    "b#c"]
  hash {"k": {"n": [1, 2]}}
  <buffer tag,time>
    timekey 1h
  </buffer>
</match>
`);
  assert.deepEqual(tree, [
    {},
    [
      'match a.** "b c"',
      [
        {
          '@type': 'file',
          plain: '/x#y/z',
          empty: '',
          single: 'a \'b\' # "c" #{d}',
          double: 'a\tb "c" #{d}\nnext line',
          array: '["a","b#c"]',
          hash: '{"k":{"n":[1,2]}}',
        },
        ['buffer tag,time', { timekey: '1h' }],
      ],
    ],
  ]);
});

test('fluentd: Ruby in double quotes is translated where it can be, and warned of where not', () => {
  const { tree, warnings } = fluentd(`<source>
  a "#{ENV['HOME_DIR']}/x"
  b "#{Socket.gethostname}"
  c "#{ENV.fetch('PORT', '80')}"
  d "#{{a: "}"}.size}"
</source>
`);
  assert.deepEqual(tree, [
    {},
    ['source', { a: '${env:HOME_DIR}/x', b: '${hostname}', c: '${env:PORT}', d: '#{{a: "}"}.size}' }],
  ]);
  assert.deepEqual(
    warnings.map(({ line }) => line),
    [4, 5],
  );
});

test('fluentd: includes are relative, may be globs, and keep their own places', () => {
  const further = {
    'etc/conf.d/b.conf': '<source>\n  x 1\n</source>\n',
    'etc/conf.d/a.conf': '@include ../in.inc\n',
    'etc/in.inc': 'y 2\n',
  };
  const { tree, warnings } = fluentd(
    '@include conf.d/*.conf\n<match **>\n  @include ../etc/in.inc\n</match>\n@include gone.conf\n@include http://x/y\n',
    further,
  );
  assert.deepEqual(tree, [{ y: '2' }, ['source', { x: '1' }], ['match **', { y: '2' }]]);
  assert.deepEqual(
    warnings.map(({ line, message }) => `${line} ${message}`),
    [
      '5 @include gone.conf: there is no such file',
      '6 @include of http://x/y: nothing is fetched; convert a copy of it',
    ],
  );
});

const BROKEN: readonly (readonly [text: string, place: string])[] = [
  ['<source>\n', '1:1'],
  ['</source>\n', '1:1'],
  ['<source>\n  a 1\n</match>\n', '3:1'],
  ['<source\n  a 1\n', '1:8'],
  ['<>\n', '1:2'],
  ['<source>\n  a "x\n</source>\n', '2:5'],
  ["a 'x", '1:3'],
  ['a ["x"', '1:3'],
  ['a [x]', '1:3'],
  ['a "x" y', '1:6'],
  ['a "\\q"', '1:4'],
  ['a "#{x"', '1:6'],
  ['@include self.conf', ''],
];

test('fluentd: what cannot be read is told with line and column', () => {
  for (const [text, place] of BROKEN) {
    const further = { 'etc/self.conf': '@include self.conf' };
    const message = new RegExp(place === '' ? '^etc/self.conf:1:1: files include' : `^etc/main.conf:${place}: `);
    assert.throws(() => fluentd(text, further), { code: 'CONVERT_SYNTAX', message }, text);
  }
});

test('fluentd: a template that was not filled in is called one', () => {
  for (const value of ['{{ log.dir }}/audit.log', '{{log}}']) {
    const message = /^etc\/main\.conf:2:\d+: this stands where a value of a template goes/;
    assert.throws(() => fluentd(`<source>\npath ${value}\n</source>`), { code: 'CONVERT_SYNTAX', message }, value);
  }
});

test('Fluent Bit: sections, commands and variables', () => {
  const findings = new Findings();
  const text =
    '@SET dir=/var/log\n# c\n[INPUT]\n    Name tail\n    # c\n    Path ${dir}/a.log\n    Tag ${TAG}.x\n@INCLUDE out*.conf\n@include none.conf\n';
  const tree = plain(
    parseFluentBit(text, 'etc/main.conf', filesOf({ 'etc/out1.conf': '[OUTPUT]\n  Name null\n' }), findings),
  );
  assert.deepEqual(tree, [
    {},
    ['input', { Name: 'tail', Path: '/var/log/a.log', Tag: '${env:TAG}.x' }],
    ['output', { Name: 'null' }],
  ]);
  assert.deepEqual(
    findings.of('warning').map(({ line }) => line),
    [9],
  );
  for (const [broken, place] of [
    ['  Name x\n', '1:3'],
    ['[INPUT]\nName x\n', '2:1'],
    ['[INPUT\n', '1:1'],
    ['@SET x\n', '1:1'],
    ['@NO x\n', '1:1'],
  ]) {
    const parse = () => parseFluentBit(broken!, 'm', filesOf({}), findings);
    assert.throws(parse, { code: 'CONVERT_SYNTAX', message: new RegExp(`^m:${place}: `) }, broken);
  }
});

test('white space that is no spacing to fluentd is a key that nothing knows, with its place', () => {
  for (const space of ['\v', '\f', '\u00a0', '\u2028', '\ufeff']) {
    const { warnings } = convertText(
      `<source>\n  @type tail\n  path /a\n  tag a\n  ${space} x\n</source>\n`,
      {},
      'fluentd',
    );
    assert.ok(
      warnings.some(({ line }) => line === 5),
      JSON.stringify(space),
    );
  }
});
