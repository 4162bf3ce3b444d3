import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileSinkConfig, HttpSinkConfig } from '../../src/config/types.ts';
import { configOf, convertText, route, warningsOf } from './convert-text.ts';

const INPUT =
  '[INPUT]\n  Name tail\n  Path /var/log/audit/audit.log\n  Tag audit\n  Parser json\n  Read_from_Head On\n  Rotate_Wait 30\n';
const REWRITE = "[FILTER]\n  Name rewrite_tag\n  Match audit\n  Rule $objectRef['namespace'] ^(.+)$ audit.$1 false\n";
const IN = (namespace: string) => ({ 'objectRef.namespace': namespace });

test('rewrite_tag, and every output that matches', () => {
  const conversion = convertText(
    `${INPUT}${REWRITE}[OUTPUT]\n  Name file\n  Match *\n  Path /archive\n  Format plain\n[OUTPUT]\n  Name http\n  Match audit.team-*\n  Host h\n  Format json\n[OUTPUT]\n  Name null\n  Match *\n`,
  );
  const config = configOf(conversion);
  assert.deepEqual(route(config, 'audit', IN('team-a')), ['audit.team-a', 'archive', 'http']);
  assert.deepEqual(route(config, 'audit', IN('default')), ['audit.default', 'archive']);
  assert.deepEqual(route(config, 'audit', {}), ['audit', 'archive']);
  assert.equal((config.sinks[0] as FileSinkConfig).path, '/archive/${tag}');
  assert.deepEqual([config.sources[0]?.readFrom, config.sources[0]?.rotateWaitMs], ['head', 30_000]);
  assert.deepEqual(warningsOf(conversion), []);
});

test('a pattern that ends in a dot and a star does not take the tag alone, as there', () => {
  const config = configOf(
    convertText(`${INPUT}${REWRITE}[OUTPUT]\n  Name file\n  Match audit.*\n  Path /archive\n  Format plain\n`),
  );
  assert.deepEqual(route(config, 'audit', {}), ['audit']);
  assert.deepEqual(route(config, 'audit', IN('a')), ['audit.a', 'archive']);
});

test('grep drops, modify adds, and what cannot be is warned of', () => {
  const conversion = convertText(
    `${INPUT}[FILTER]\n  Name grep\n  Match *\n  Exclude verb ^(get|watch)$\n  Exclude $user['username'] ^system:\n[FILTER]\n  Name modify\n  Match *\n  Add cluster prod\n  Remove managedFields\n${REWRITE.replace('false', 'true')}[OUTPUT]\n  Name es\n  Match *\n  Host es\n  tls On\n  tls.verify Off\n  HTTP_User u\n  HTTP_Passwd p\n  Logstash_Format On\n  Logstash_Prefix K8s\n  Retry_Limit False\n`,
  );
  const config = configOf(conversion);
  assert.deepEqual(route(config, 'audit', { verb: 'get', ...IN('a') }), ['_dropped.audit']);
  assert.deepEqual(route(config, 'audit', { 'user.username': 'system:x', ...IN('a') }), ['_dropped.audit']);
  assert.deepEqual(route(config, 'audit', { verb: 'create', ...IN('a') }), ['audit.a', 'elasticsearch']);
  const sink = config.sinks[0] as HttpSinkConfig;
  assert.deepEqual([sink.url.reveal(), sink.index, sink.auth?.kind], ['https://es:9200', 'k8s-%Y.%m.%d', 'basic']);
  assert.deepEqual(sink.add, { '@timestamp': '${time}', cluster: 'prod' });
  assert.deepEqual(
    warningsOf(conversion).map((one) => one.replace(/:.*/, '')),
    ['17 Remove', '21 Rule', '27 tls.verify'],
  );
});

test('loki and splunk', () => {
  const config = configOf(
    convertText(
      `${INPUT}[OUTPUT]\n  Name loki\n  Match *\n  Host l\n  labels job=audit, node=\${HOSTNAME}\n  tenant_id t\n[OUTPUT]\n  Name splunk\n  Match *\n  Host s\n  TLS On\n  Splunk_Token x\n  Event_Index main\n`,
    ),
    { HOSTNAME: 'cp-1' },
  );
  const [loki, splunk] = config.sinks as HttpSinkConfig[];
  assert.deepEqual([loki?.labels, loki?.url.reveal()], [{ job: 'audit', node: 'cp-1' }, 'http://l:3100']);
  assert.deepEqual([splunk?.index, splunk?.url.reveal()], ['main', 'https://s:8088']);
});

test('an output whose Match is empty is a warning, as what check would say of it', () => {
  const text = '[INPUT]\n    Name tail\n    Path /a.log\n    Tag a\n[OUTPUT]\n    Name es\n    Match \n    Host h\n';
  const warnings = warningsOf(convertText(text));
  assert.ok(
    warnings.some((warning) => /is not valid yet: sinks\[0\]\.match: /.test(warning)),
    warnings.join(),
  );
});
