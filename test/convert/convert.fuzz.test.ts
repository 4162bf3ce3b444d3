import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/config-error.ts';
import type { Conversion } from '../../src/convert/convert.ts';
import { AuditailError } from '../../src/errors.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { mutated } from '../helpers/mutations.ts';
import { configOf, convertText } from './convert-text.ts';

const SLOW_MS = 10_000;

const fixture = (name: string) => fs.readFileSync(path.resolve(import.meta.dirname, '../fixtures', name), 'utf8');

const FLUENTD = [
  fixture('td-agent.conf'),
  `<source>
  @type tail
  path "/var/log/audit.log"
  tag audit
  <parse>
    @type json
  </parse>
</source>
<match audit.**>
  @type copy
  <store>
    @type elasticsearch
    hosts https://u:p@es-1:9200,es-2
    logstash_format true
    <buffer tag, time>
      timekey 1h
      chunk_limit_size 8m
    </buffer>
  </store>
  <store>
    @type loki
    url http://loki:3100
    extra_labels {"env":"x"}
  </store>
</match>
`,
];
const FLUENT_BIT = [
  fixture('fluent-bit.conf'),
  `[INPUT]
    Name tail
    Path /var/log/audit.log
    Tag kube.*
    Parser json
[FILTER]
    Name rewrite_tag
    Match *
    Rule $objectRef['namespace'] ^(.+)$ audit.$1 false
[OUTPUT]
    Name es
    Match audit.*
    Host es
    Logstash_Format On
[OUTPUT]
    Name http
    Match *
    Host h
    URI /in
    Header X-Key \${KEY}
`,
];

const TOKENS = {
  fluentd: [
    '<match **>\n',
    '</match>\n',
    '"#{ENV[\'X\']}"',
    '@include a.conf\n',
    '${record["a"]["b"]}',
    '%Y%m%d',
    '{"a":',
    '[',
    '/(a+)+/',
  ],
  'fluent-bit': [
    '[OUTPUT]\n',
    '@INCLUDE a.conf\n',
    '@SET a=b\n',
    '${X}',
    '    Name file\n',
    "$a['b'] ^(.*)$ x.$1 true",
    '\t',
  ],
} as const;

for (const [dialect, seeds] of [
  ['fluentd', FLUENTD],
  ['fluent-bit', FLUENT_BIT],
] as const) {
  test(`a damaged configuration of ${dialect} is refused with its place, or what comes of it passes check or says why not`, () => {
    let valid = 0;
    const property = fc.property(mutated(seeds, { tokens: TOKENS[dialect] }), (bytes) => {
      const started = performance.now();
      let conversion: Conversion;
      try {
        conversion = convertText(bytes.toString(), { 'a.conf': seeds[1]! }, dialect);
      } catch (error) {
        assert.ok(error instanceof AuditailError, String((error as Error).stack));
        assert.equal(error.code, 'CONVERT_SYNTAX');
        assert.match(error.message, /^(?:main|a)\.conf:\d+:\d+: /);
        return;
      } finally {
        assert.ok(performance.now() - started < SLOW_MS);
      }
      const isTold = conversion.warnings.some(({ message }) =>
        message.startsWith('the configuration is not valid yet'),
      );
      const names = [...conversion.yaml.matchAll(/\$\{env:(\w+)\}/g)].map((match) => match[1]!);
      try {
        configOf(conversion, Object.fromEntries(names.map((name) => [name, '1'])));
        valid += 1;
        assert.equal(isTold, false);
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        assert.ok(isTold, error.message);
      }
    });
    fc.assert(property, fuzz(500));
    assert.ok(valid > 20, `${valid} were valid`);
  });
}
