import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, convertText, route, warningsOf } from './convert-text.ts';

const SOURCE =
  '<source>\n  @type tail\n  path /var/log/audit/audit.log\n  tag audit\n  <parse>\n    @type json\n  </parse>\n</source>\n';
const REWRITE = `<match audit>
  @type rewrite_tag_filter
  <rule>
    key $.objectRef.namespace
    pattern /^(.+)$/
    tag audit.$1
  </rule>
</match>
`;

function file(name: string, indent = ''): string {
  return `${indent}@type file\n${indent}@id ${name}\n${indent}path /archive/${name}.\${tag}\n${indent}<format>\n${indent}  @type json\n${indent}</format>\n`;
}

const IN = (namespace: string) => ({ 'objectRef.namespace': namespace });

test('the first match takes an event, and later ones leave it out', () => {
  const conversion = convertText(
    `${SOURCE}${REWRITE}<match audit.kube-system audit.team-*>\n${file('system')}</match>\n<match audit.**>\n${file('rest')}</match>\n`,
  );
  const config = configOf(conversion);
  assert.deepEqual(route(config, 'audit', IN('kube-system')), ['audit.kube-system', 'system']);
  assert.deepEqual(route(config, 'audit', IN('team-a')), ['audit.team-a', 'system']);
  assert.deepEqual(route(config, 'audit', IN('default')), ['audit.default', 'rest']);
  assert.equal(config.sinks[1]?.match, 'audit.** !audit.kube-system !audit.team-*');
  assert.deepEqual(warningsOf(conversion), []);
});

test('what no rule takes is dropped, as the plugin drops it', () => {
  const config = configOf(convertText(`${SOURCE}${REWRITE}<match **>\n${file('all')}</match>\n`));
  assert.deepEqual(route(config, 'audit', {}), ['_dropped.audit']);
  assert.deepEqual(route(config, 'audit', IN('default')), ['audit.default', 'all']);
});

test('null takes events away', () => {
  const config = configOf(
    convertText(
      `${SOURCE}${REWRITE}<match audit.noise>\n  @type null\n</match>\n<match audit.**>\n${file('rest')}</match>\n`,
    ),
  );
  assert.deepEqual(route(config, 'audit', IN('noise')), ['audit.noise']);
  assert.deepEqual(route(config, 'audit', IN('default')), ['audit.default', 'rest']);
});

test('copies go to every store, labels and relabel are followed', () => {
  const conversion = convertText(`${SOURCE.replace('  tag', '  @label @AUDIT\n  tag')}
<match **>
${file('never')}</match>
<label @AUDIT>
  <match audit>
    @type copy
    <store>
${file('raw', '      ')}    </store>
    <store>
      @type relabel
      @label @SPLIT
    </store>
  </match>
</label>
<label @SPLIT>
  <match audit>
    @type rewrite_tag_filter
    rewriterule1 verb ^(get|list)$ read.\${tag}
    rewriterule2 verb !^(get|list)$ write.\${tag}
  </match>
  <match read.**>
${file('reads', '    ')}  </match>
  <match write.**>
${file('writes', '    ')}  </match>
</label>
`);
  const config = configOf(conversion);
  assert.deepEqual(route(config, 'audit', { verb: 'get' }), ['read.audit', 'raw', 'reads']);
  assert.deepEqual(route(config, 'audit', { verb: 'patch' }), ['write.audit', 'raw', 'writes']);
  const warnings = warningsOf(conversion).join('\n');
  assert.match(warnings, /the tag that it had in fluentd/);
  assert.match(warnings, /no event of a source that could be converted comes here/);
});

test('a grep that all events pass drops them by rules, in front of the others', () => {
  const conversion = convertText(
    `${SOURCE}<filter audit>\n  @type grep\n  <regexp>\n    key verb\n    pattern /^(create|delete)$/\n  </regexp>\n  <exclude>\n    key $.user.username\n    pattern ^system:\n  </exclude>\n</filter>\n${REWRITE}<match audit.**>\n${file('all')}</match>\n`,
  );
  const config = configOf(conversion);
  const event = { verb: 'create', 'user.username': 'kim', ...IN('a') };
  assert.deepEqual(route(config, 'audit', event), ['audit.a', 'all']);
  assert.deepEqual(route(config, 'audit', { ...event, verb: 'get' }), ['_dropped.audit']);
  assert.deepEqual(route(config, 'audit', { ...event, 'user.username': 'system:x' }), ['_dropped.audit']);
  assert.deepEqual(warningsOf(conversion), []);
});

test('a grep that only some events pass is warned of', () => {
  const grep =
    '<filter audit.a>\n  @type grep\n  <exclude>\n    key verb\n    pattern ^get$\n  </exclude>\n</filter>\n';
  const conversion = convertText(`${SOURCE}${REWRITE}${grep}<match audit.**>\n${file('all')}</match>\n`);
  assert.match(warningsOf(conversion).join('\n'), /grep: only some events pass it/);
});

test('two sources of one tag that go different ways are warned of', () => {
  const other = SOURCE.replace('  tag', '  @label @X\n  tag').replace('audit.log', 'other.log');
  const conversion = convertText(
    `${SOURCE}${other}<match audit>\n${file('a')}</match>\n<label @X>\n<match audit>\n${file('b')}</match>\n</label>\n`,
  );
  assert.match(warningsOf(conversion).join('\n'), /^9 another source with the tag audit goes another way/m);
});

test('lines that are no events are told of where no sink would keep them', () => {
  const lonely = convertText(`${SOURCE}<match audit>\n${file('a')}</match>\n`);
  assert.match(lonely.notes.map(({ message }) => message).join('\n'), /the tag audit\._unparsed, which no sink takes/);
  const kept = convertText(`${SOURCE}<match audit.**>\n${file('a')}</match>\n`);
  assert.doesNotMatch(kept.notes.map(({ message }) => message).join('\n'), /_unparsed/);
});

test('a second rewriting is warned of, and its sinks are reached with the first tag', () => {
  const second = '<match audit.*>\n  @type rewrite_tag_filter\n  rewriterule1 verb ^(.+)$ verb.$1\n</match>\n';
  const conversion = convertText(
    `${SOURCE}${REWRITE}${second}<match verb.**>\n${file('last').replace('.${tag}', '')}</match>\n`,
  );
  const config = configOf(conversion);
  assert.deepEqual(route(config, 'audit', { ...IN('a'), verb: 'get' }), ['audit.a', 'last']);
  assert.match(warningsOf(conversion).join('\n'), /a tag is rewritten once here/);
});

test('broken patterns and outputs that nothing comes to are warned of', () => {
  const broken = '<match /x(/>\n@type null\n</match>\n<match a{>\n@type null\n</match>\n';
  const conversion = convertText(
    `${SOURCE}${broken}<match audit>\n@type forest\nsubtype file\n<case {x>\npath /b\n</case>\n<template>\npath /a\nformat json\n</template>\n</match>\n<match never>\n${file('x')}</match>\n`,
  );
  const warnings = warningsOf(conversion).join('\n');
  assert.match(warnings, /^9 \/x\(\/ is no regular expression here/m);
  assert.match(warnings, /^12 .*the brace is never closed/m);
  assert.match(warnings, /^18 .*the brace is never closed/m);
  assert.match(warnings, /^26 no event of a source that could be converted comes here/m);
  assert.deepEqual(route(configOf(conversion), 'audit', {}), ['audit', 'archive']);
});

test('files are compressed as before, and their names say so', () => {
  for (const [compress, expected] of [
    ['gz', ['gzip', 6, 'log.gz']],
    ['gzip', ['gzip', 6, 'log.gz']],
    ['zstd', ['zstd', 1, 'log.zst']],
    ['text', ['none', undefined, 'log']],
  ] as const) {
    const config = configOf(convertText(`${SOURCE}<match **>\n${file('all')}compress ${compress}\n</match>\n`));
    const [sink] = config.sinks;
    assert.ok(sink?.type === 'file');
    const level = sink.compress === 'none' ? undefined : sink.level;
    assert.deepEqual([sink.compress, level, sink.path.replace(/^.*\.(log.*)$/, '$1')], expected, sink.path);
  }
});
