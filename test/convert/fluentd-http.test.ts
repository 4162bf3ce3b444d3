import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpSinkConfig } from '../../src/config/types.ts';
import { configOf, convertText, warningsOf } from './convert-text.ts';

const SOURCE = '<source>\n@type tail\npath /var/log/audit/audit.log\ntag audit\nformat json\n</source>\n';

function sinkOf(output: string, filters = ''): { sink: HttpSinkConfig; warnings: string[] } {
  const conversion = convertText(`${SOURCE}${filters}<match audit>\n${output}\n</match>\n`);
  return {
    sink: configOf(conversion, { TOKEN: 'geheim' }).sinks[0] as HttpSinkConfig,
    warnings: warningsOf(conversion),
  };
}

test('elasticsearch: address, index, credentials, TLS and buffer', () => {
  const { sink, warnings } = sinkOf(
    `@type elasticsearch
host es.example
port 9243
scheme https
user kim
password "#{ENV['TOKEN']}"
ca_file /etc/es/ca.pem
ssl_verify false
logstash_format true
logstash_prefix Audit-\${tag}
include_tag_key true
request_timeout 20s
<buffer tag, time>
  flush_interval 5s
  chunk_limit_size 2m
  retry_max_interval 30
  overflow_action drop_oldest_chunk
  flush_thread_count 4
</buffer>`,
    `<filter **>
@type record_transformer
<record>
host_name "#{Socket.gethostname}"
origin prod
</record>
</filter>
`,
  );
  assert.equal(sink.url.reveal(), 'https://es.example:9243');
  assert.equal(sink.index, 'audit-${tag}-%Y.%m.%d');
  assert.deepEqual(sink.add, { '@timestamp': '${time}', tag: '${tag}', host_name: '${node}', origin: 'prod' });
  assert.equal(sink.auth?.kind === 'basic' && sink.auth.password.reveal(), 'geheim');
  assert.equal(sink.tls.caFile, '/etc/es/ca.pem');
  assert.deepEqual(
    [sink.timeoutMs, sink.batch.ageMs, sink.batch.bytes, sink.concurrency],
    [20_000, 5000, 2 * 1024 ** 2, 4],
  );
  assert.deepEqual([sink.retry.maxMs, sink.spool.overflow], [30_000, 'drop_oldest']);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /ssl_verify: the receiver's certificate is always checked/);
});

test('http: endpoint, headers and authentication', () => {
  const { sink, warnings } = sinkOf(
    '@type http\nendpoint http://logs.example/in?x=1\nheaders {"X-A": "b"}\njson_array true\n<auth>\nmethod basic\nusername u\npassword p\n</auth>\n<format>\n@type json\n</format>',
  );
  assert.equal(sink.url.reveal(), 'http://logs.example/in?x=1');
  assert.deepEqual(
    [sink.format, sink.compress, sink.headers['X-A']?.reveal(), sink.auth?.kind],
    ['json_array', 'none', 'b', 'basic'],
  );
  assert.deepEqual(warnings, []);
});

test('loki: labels and tenant', () => {
  const { sink, warnings } = sinkOf(
    '@type loki\nurl http://loki:3100\ntenant t1\nextra_labels {"env": "prod", "t": "${tag}"}\nline_format json\n<label>\nns $.a\n</label>',
  );
  assert.deepEqual(sink.labels, { env: 'prod', t: '${tag}' });
  assert.equal(sink.headers['X-Scope-OrgID']?.reveal(), 't1');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /<label>: labels are the same/);
});

test('splunk_hec: address, token and index', () => {
  const { sink, warnings } = sinkOf(
    '@type splunk_hec\nhec_host hec.example\nhec_token abc\nindex K8S_audit\nsourcetype s\ninsecure_ssl true\nuse_ack true',
  );
  assert.equal(sink.url.reveal(), 'https://hec.example:8088');
  assert.equal(sink.auth?.kind === 'header' && sink.auth.value.reveal(), 'Splunk abc');
  assert.deepEqual([sink.index, sink.sourcetype], ['k8s_audit', 's']);
  assert.deepEqual(
    warnings.map((one) => one.split(' ')[1]),
    ['insecure_ssl:', 'use_ack:'],
  );
});

test('what has no counterpart is said whole, and values that may be secret are not shown', () => {
  const { warnings } = (() => {
    const conversion = convertText(
      `${SOURCE}<match audit>\n@type kafka2\npassword hush\n<format>\n@type json\n</format>\n</match>\n`,
    );
    return { warnings: warningsOf(conversion) };
  })();
  assert.deepEqual(warnings, [
    '1 no output could be converted; the default archive would be written',
    '7 the output kafka2 has no counterpart here; what it took goes nowhere',
  ]);
});
