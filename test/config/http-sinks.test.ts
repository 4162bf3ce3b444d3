import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { HTTP_FORMATS, type HttpSinkConfig } from '../../src/config/types.ts';
import { errorsOf, firstHttpSink, parse } from './parse.ts';

const SECRET = 'hunter2';

function sinks(keys: string, format = 'ndjson'): string {
  return `sinks:\n  - { name: a, type: http, format: ${format}, url: 'https://h', ${keys} }\n`;
}

function sink(keys: string, format?: string, env?: NodeJS.ProcessEnv): HttpSinkConfig {
  const found = firstHttpSink(parse(sinks(keys, format), env));
  assert.ok(found !== undefined);
  return found;
}

/** The errors of one HTTP sink, without line and column. */
function errors(keys: string, format?: string): string[] {
  return errorsOf(sinks(keys, format)).map((line) => line.replace(/^\d+:\d+: sinks\[0\]\./, ''));
}

test('what a sink does not say has the defaults of the design', () => {
  const { url, ...rest } = sink('');
  assert.equal(url.reveal(), 'https://h');
  assert.deepEqual(rest, {
    name: 'a',
    type: 'http',
    match: '**',
    format: 'ndjson',
    headers: {},
    auth: undefined,
    tls: { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined, minVersion: '1.2' },
    proxy: undefined,
    compress: 'gzip',
    batch: { events: 2000, bytes: 4 * 1024 ** 2, ageMs: 1000 },
    concurrency: 2,
    timeoutMs: 30_000,
    retry: { minMs: 500, maxMs: 60_000 },
    unparsed: 'wrap',
    spool: { afterMs: 2000, maxBytes: 1024 ** 3, overflow: 'block' },
    deadletter: { maxBytes: 256 * 1024 ** 2, overflow: 'block' },
    add: {},
    cluster: undefined,
    node: undefined,
    index: undefined,
    dataStream: false,
    labels: {},
    sourcetype: 'kube:apiserver-audit',
  });
});

test('some defaults are those of the format', () => {
  assert.equal(sink('', 'elasticsearch').index, 'audit-%Y.%m.%d');
  assert.equal(sink('index: audit-k8s, data_stream: true', 'elasticsearch').index, 'audit-k8s');
  assert.equal(sink('', 'splunk_hec').index, undefined);
  assert.deepEqual(sink('', 'loki').labels, { job: 'auditail', node: '${node}' });
  for (const format of HTTP_FORMATS) {
    assert.equal(sink('', format).compress, format === 'event_list' ? 'none' : 'gzip', format);
  }
  assert.equal(sink('compress: gzip', 'event_list').compress, 'gzip');
});

test('everything that is written arrives', () => {
  const found = sink(
    `match: 'audit.a', auth: { header: { name: X-Key, value: ${SECRET} } }, headers: { X-Scope-OrgID: tenant },
    tls: { ca_file: /ca, cert_file: /cert, key_file: /key, server_name: es, min_version: '1.3' },
    proxy: 'http://u:${SECRET}@proxy:3128', compress: none, batch: { events: 1, bytes: 1KiB, age: 1ms },
    concurrency: 3, timeout: 1s, retry: { min: 10ms, max: 10ms }, unparsed: skip,
    spool: { after: 0s, max_bytes: 1MiB, overflow: drop_oldest },
    deadletter: { max_bytes: 2MiB, overflow: drop_oldest }, cluster: prod, node: cp-1,
    add: { '@timestamp': '\${time}', static: 'a \${tag[1..]} \${node} \${cluster} \${source} $$', n: 1.5, b: true },
    labels: { job: 'x', ns: '\${tag[1]}' }`.replaceAll('\n', ' '),
    'loki',
  );
  assert.deepEqual(
    { ...found, url: 0, auth: 0, headers: 0, proxy: 0 },
    {
      name: 'a',
      type: 'http',
      match: 'audit.a',
      url: 0,
      format: 'loki',
      headers: 0,
      auth: 0,
      tls: { caFile: '/ca', certFile: '/cert', keyFile: '/key', serverName: 'es', minVersion: '1.3' },
      proxy: 0,
      compress: 'none',
      batch: { events: 1, bytes: 1024, ageMs: 1 },
      concurrency: 3,
      timeoutMs: 1000,
      retry: { minMs: 10, maxMs: 10 },
      unparsed: 'skip',
      spool: { afterMs: 0, maxBytes: 1024 ** 2, overflow: 'drop_oldest' },
      deadletter: { maxBytes: 2 * 1024 ** 2, overflow: 'drop_oldest' },
      add: { '@timestamp': '${time}', static: 'a ${tag[1..]} ${node} ${cluster} ${source} $$', n: 1.5, b: true },
      cluster: 'prod',
      node: 'cp-1',
      index: undefined,
      dataStream: false,
      labels: { job: 'x', ns: '${tag[1]}' },
      sourcetype: 'kube:apiserver-audit',
    },
  );
  assert.equal(found.headers['X-Scope-OrgID']?.reveal(), 'tenant');
  assert.equal(found.proxy?.reveal(), `http://u:${SECRET}@proxy:3128`);
  assert.ok(found.auth?.kind === 'header' && found.auth.name === 'X-Key' && found.auth.value.reveal() === SECRET);
});

test('a bare min_version is a version and no number', () => {
  assert.equal(sink('tls: { min_version: 1.3 }').tls.minVersion, '1.3');
  assert.equal(sink('tls: { min_version: 1.2 }').tls.minVersion, '1.2');
  assert.deepEqual(errors('tls: { min_version: 1.1 }'), ['tls.min_version: expected 1.2 or 1.3, found 1.1']);
});

test('authentication is one of three, its secret from the file, the environment or a file of its own', () => {
  const basic = sink(`auth: { basic: { username: u, password: '\${env:P}' } }`, 'ndjson', { P: SECRET }).auth;
  assert.ok(basic?.kind === 'basic' && basic.username === 'u' && basic.password.reveal() === SECRET);
  const bearer = sink(`auth: { bearer: ${SECRET} }`).auth;
  assert.ok(bearer?.kind === 'bearer' && bearer.token.reveal() === SECRET);
  const file = sink('auth: { bearer_file: /no/such/file }').auth;
  assert.ok(file?.kind === 'bearer');
  assert.throws(() => file.token.reveal(), { code: 'SECRET_FILE' });
  const all = 'expected exactly one of basic, bearer, bearer_file, header';
  assert.deepEqual(errors('auth: {}'), [`auth: ${all}, found none`]);
  assert.deepEqual(errors('auth: { bearer: x, bearer_file: /x }'), [`auth: ${all}, found bearer and bearer_file`]);
  assert.deepEqual(errors('auth: { bearer: x, header: { name: y, value: z } }'), [
    `auth: ${all}, found bearer and header`,
  ]);
  assert.deepEqual(errors('auth: { basic: { username: u } }'), [
    'auth.basic: expected exactly one of password, password_file, found none',
  ]);
  const place = 'auth.basic.username: expected a user name without colons and control characters';
  assert.deepEqual(errors("auth: { basic: { username: 'a:b', password: c } }"), [
    `${place}; what was found is not shown, as it may be a secret`,
  ]);
  assert.deepEqual(errors('auth: { header: { name: n, value: v, value_file: /f } }'), [
    'auth.header: expected exactly one of value, value_file, found value and value_file',
  ]);
});

test('nothing that is or may be a secret is quoted by an error', () => {
  const wrong = [
    `url: '${SECRET}'`,
    `url: 'https://u:${SECRET}@h/'`,
    `url: 'https://h/${SECRET} x'`,
    `url: 'https://h/#${SECRET}'`,
    `url: 'ftp://h/${SECRET}'`,
    `url: { ${SECRET}: 1 }`,
    `proxy: '${SECRET}'`,
    `proxy: 'socks://u:${SECRET}@h'`,
    `auth: ${SECRET}`,
    `auth: [${SECRET}]`,
    `auth: { bearer: [${SECRET}] }`,
    `auth: { bearer: "${SECRET}\\nx" }`,
    `auth: { bearer:${SECRET} }`,
    `auth: { bearer ${SECRET} }`,
    `auth: { bearer_file: ${SECRET} }`,
    `auth: { header: 'Authorization: ${SECRET}' }`,
    `auth: { header: { name: 'Authorization: ${SECRET}', value: x } }`,
    `auth: { basic: { username: u, password: { ${SECRET}: 1 } } }`,
    `auth: { basic: { username: u, password: "${SECRET}\\n" } }`,
    `headers: ${SECRET}`,
    `headers: { X-Key: ["${SECRET}"] }`,
    `headers: { X-Key: "${SECRET}\\r\\nX-Other: 1" }`,
    `headers: { X-Key:${SECRET} }`,
    `headers: { 'X Key ${SECRET}': x }`,
    `headers: { X-Key: '${SECRET}\u4e16' }`,
    `bearer:${SECRET}`,
  ];
  for (const keys of wrong) {
    const text = keys.startsWith('url') ? sinks(keys).replace("url: 'https://h', ", '') : sinks(keys);
    const found = errorsOf(text);
    assert.ok(found.length > 0, text);
    assert.doesNotMatch(found.join('\n'), /hunter2/, text);
  }
  assert.doesNotMatch(errorsOf(sinks("auth: { bearer: '${env:T}' }"), { T: `${SECRET}\n` }).join(), /hunter2/);
  // A number is a number to YAML, and a password to who wrote it.
  assert.deepEqual(errors('auth: { basic: { username: u, password: 4711 } }'), [
    'auth.basic.password: expected a password as text, in quotes if it is a number; what was found is not shown, as it may be a secret',
  ]);
  assert.deepEqual(errorsOf(sinks(`bearer:${SECRET}`)), [
    '2:62: sinks[0]["bearer:…"]: unknown key; a colon needs a space behind it',
  ]);
});

test('a secret without quotes that is an alias or a tag to YAML is not quoted either', () => {
  for (const text of ['*hunter2', '!hunter2 x', '!<hunter2> x', '!!hunter2 x', '!hunter2! x', '!hunter2!y x']) {
    const [error, ...others] = errorsOf(`sinks:\n  - name: a\n    auth:\n      bearer: ${text}\n`);
    assert.match(error ?? '', /^4:\d+: not valid YAML: .*put text that begins with [*!] in quotes$/, text);
    assert.doesNotMatch(error ?? '', /hunter2/);
    assert.deepEqual(others, []);
  }
});

test('nothing that prints a configuration prints a secret', () => {
  const config = parse(
    sinks(`auth: { bearer: ${SECRET} }, headers: { X-Key: ${SECRET} }, proxy: 'http://u:${SECRET}@h'`).replace(
      'https://h',
      `https://h/${SECRET}`,
    ),
  );
  for (const text of [
    JSON.stringify(config),
    inspect(config, { depth: null, showHidden: true }),
    `${firstHttpSink(config)?.url}`,
    String(firstHttpSink(config)?.headers['X-Key']),
  ]) {
    assert.doesNotMatch(text, /hunter2/);
    assert.match(text, /\[secret\]/);
  }
});

test('a url is absolute, http or https, and holds no credentials', () => {
  const url = (text: string) => errorsOf(`sinks: [{ name: a, type: http, format: ndjson, url: '${text}' }]`);
  for (const good of ['http://localhost:8080', 'HTTPS://es.example/a/b?c=d', 'https://[::1]:9200/', 'http://a_b.c']) {
    assert.deepEqual(url(good), [], good);
  }
  const hidden = '; what was found is not shown, as it may be a secret';
  const place = '1:53: sinks[0].url: ';
  for (const bad of ['es.example', '//es', 'https:es', 'https:///es', 'ftp://es', 'https://', 'https://a:99999', '']) {
    assert.deepEqual(url(bad), [`${place}expected an absolute URL that begins with http:// or https://${hidden}`], bad);
  }
  for (const [bad, reason] of [
    [
      'https://u@h',
      'expected a URL without user name and password; put them into auth: { basic: { username, password } }',
    ],
    [
      'https://u:p@h',
      'expected a URL without user name and password; put them into auth: { basic: { username, password } }',
    ],
    ['https://h/a b', 'expected a URL without white space and control characters'],
    [' https://h', 'expected a URL without white space and control characters'],
    ['https://h/#', 'expected a URL without a # part, which is never sent'],
  ] as const) {
    assert.deepEqual(url(bad), [`${place}${reason}${hidden}`], bad);
  }
});

test('keys that the format has no use for are told, whatever else is wrong', () => {
  assert.deepEqual(errors('index: x, data_stream: false, sourcetype: y, labels: { a: b }, batch: 5', 'loki'), [
    'index: the format loki has no index, only elasticsearch and splunk_hec have it',
    'data_stream: the format loki has no data_stream, only elasticsearch has it',
    'sourcetype: the format loki has no sourcetype, only splunk_hec has it',
    'batch: expected a mapping of keys to values, found 5',
  ]);
  assert.deepEqual(errors('labels: { a: b }', 'ndjson'), ['labels: the format ndjson has no labels, only loki has it']);
  assert.deepEqual(errors('data_stream: true', 'elasticsearch'), [
    'data_stream: needs index, the name of the data stream',
  ]);
  assert.deepEqual(errors('labels: {}', 'loki'), ['labels: expected at least one label, found a mapping']);
});

test('keys of a file sink are told as such', () => {
  assert.match(errors('path: /x')[0] ?? '', /^path: unknown key; expected one of name, type, match, url, format, /);
  assert.match(
    errorsOf('sinks: [{ name: a, type: file, url: x }]')[0] ?? '',
    /unknown key; expected one of name, type, match, path, /,
  );
});

test('files for TLS go together, and with https', () => {
  assert.deepEqual(errors('tls: { cert_file: /c }'), ['tls.cert_file: needs key_file beside it']);
  assert.deepEqual(errors('tls: { key_file: /c }'), ['tls.key_file: needs cert_file beside it']);
  assert.deepEqual(errors('tls: { ca_file: c }'), [
    'tls.ca_file: expected an absolute path, one that begins with /, found "c"',
  ]);
  assert.deepEqual(errorsOf(sinks('tls: { min_version: 1.3 }').replace('https', 'http')), [
    '2:66: sinks[0].tls: has no effect on an http: url; begin it with https:, or leave tls out',
  ]);
  assert.deepEqual(errorsOf(sinks('tls: {}').replace('https', 'http')), []);
});

test('headers are names and values that a request can carry', () => {
  const hidden = '; what was found is not shown, as it may be a secret';
  assert.deepEqual(errors('headers: { Content-Type: x, X-A: a, x-a: b }'), [
    'headers["Content-Type"]: this header is set by auditail; leave it out'.replace(
      '["Content-Type"]',
      '.Content-Type',
    ),
    'headers.x-a: this header stands here already, in other letters',
  ]);
  assert.deepEqual(errors('headers: { X-A: 1 }'), [
    `headers.X-A: expected a value as text, in quotes if it is a number${hidden}`,
  ]);
  assert.deepEqual(errors('headers: { Authorization: x }, auth: { bearer: y }'), [
    'headers.Authorization: this header is set by auth already; leave one of them out',
  ]);
  assert.deepEqual(errors('headers: { X-Key: x }, auth: { header: { name: x-key, value: y } }'), [
    'headers.X-Key: this header is set by auth already; leave one of them out',
  ]);
  assert.deepEqual(errors('headers: { __proto__: x }'), ['headers.__proto__: cannot be used as a name']);
});

test('templates and names of added fields and labels are checked', () => {
  const forms =
    '${node}, ${cluster}, ${source}, ${time}, ${tag}, ${tag[n]}, ${tag[n..]} and ${tag[n..m]} (n and m may be negative), $$ for a $';
  assert.deepEqual(
    errors("add: { a: '${nod}', b: [], '': x, c: 12345678901234567890, d: .nan, e: '$1', f: 'x ${tag' }"),
    [
      'add.b: expected text, a number, or true or false, found an empty list',
      'add[""]: expected a name that is not empty',
      'add.c: expected a number of at most 15 digits; put a longer one in quotes, found 12345678901234567000',
      'add.d: expected text, a number, or true or false, found NaN',
    ],
  );
  assert.deepEqual(errors("add: { a: '${nod}', e: '$1', f: 'x ${tag' }"), [
    `add.a: template '\${nod}', character 1: '\${nod}' is not known. Allowed are ${forms}`,
    `add.e: template '$1', character 1: there is no capture for '$1' here. Allowed are ${forms}`,
    `add.f: template 'x \${tag', character 3: the brace is never closed. Allowed are ${forms}`,
  ]);
  assert.deepEqual(errors("add: { a: '${cluster}' }"), [
    "add.a: template '${cluster}': the sink has no cluster for ${cluster}. Set the sink's cluster to the name of the Kubernetes cluster",
  ]);
  assert.deepEqual(errors("labels: { 'a-b': x, 0a: y, c: '' }", 'loki'), [
    'labels.a-b: expected a label name: letters, digits and _, no digit first',
    'labels["0a"]: expected a label name: letters, digits and _, no digit first',
    'labels.c: expected a template, found ""',
  ]);
  assert.deepEqual(errors("labels: { a: '${x}' }", 'loki').length, 1);
  assert.match(
    errors("index: 'a-%Q'", 'elasticsearch')[0] ?? '',
    /^index: template 'a-%Q', character 3: '%Q' is not a known time field/,
  );
  assert.match(errors("index: '${node}'", 'elasticsearch')[0] ?? '', /^index: template .*'\$\{node\}' is not known/);
  assert.match(errors("match: 'a.{b'")[0] ?? '', /^match: /);
  const added = errorsOf(sinks("add: { a: '${nope} ${env:T}' }"), { T: SECRET });
  assert.deepEqual(added, [
    '2:72: sinks[0].add.a: expected a template, found "${nope} ${env:T}" with the environment filled in',
  ]);
});

test('sizes fit together', () => {
  assert.deepEqual(errors('retry: { min: 10s, max: 5s }'), ['retry.max: is shorter than min; make it longer']);
  assert.deepEqual(errors('spool: { max_bytes: 1KiB }, deadletter: { max_bytes: 1KiB }, concurrency: 0'), [
    'spool.max_bytes: expected at least 1MiB, found "1KiB"',
    'deadletter.max_bytes: expected at least 1MiB, found "1KiB"',
    'concurrency: expected a whole number from 1 to 64, found 0',
  ]);
  assert.deepEqual(errors('batch: { bytes: 64MiB }'), []);
  const two = `memory_limit: 32MiB\n${sinks('batch: { bytes: 17MiB }')}  - { name: b, type: file }\n`;
  assert.deepEqual(errorsOf(two), [
    "3:78: sinks[0].batch.bytes: a batch of 17MiB does not fit into this sink's share of memory_limit: 32MiB over 2 sinks",
  ]);
  assert.deepEqual(errorsOf(two.replace('17', '16')), []);
});

test('names are unique over both types, and each is checked beside the other', () => {
  const text = `${sinks('')}  - { name: a, type: file }\n  - { name: c, type: http }\n`;
  assert.deepEqual(errorsOf(text), [
    '3:13: sinks[1].name: the name a belongs to sinks[0] already; give each its own',
    '4:5: sinks[2].url: is missing: expected an absolute URL that begins with http:// or https://',
    `4:5: sinks[2].format: is missing: expected one of ${HTTP_FORMATS.join(', ')}`,
  ]);
});

test('property: whatever stands in a place of secrets, no error holds it', () => {
  const place = fc.constantFrom(
    'url',
    'proxy',
    'auth',
    'headers',
    'bearer',
    'bearer_file',
    'basic',
    'password',
    'header',
    'value',
    'X-Key',
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(`x${SECRET}`, `${SECRET}\n`, `https://${SECRET}`),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('value'), { maxLength: 2 }),
    map: fc.dictionary(fc.oneof(place, fc.constant(`X ${SECRET}`)), tie('value'), { maxKeys: 3 }),
  }));
  const secretKeys = fc.record({ url: value, proxy: value, auth: value, headers: value }, { requiredKeys: [] });
  fc.assert(
    fc.property(secretKeys, (given) => {
      const text = JSON.stringify({ sinks: [{ name: 'a', type: 'http', format: 'ndjson', ...given }] });
      assert.doesNotMatch(errorsOf(text).join('\n'), /hunter2/);
    }),
    { numRuns: 500 },
  );
});
