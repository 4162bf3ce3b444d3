import { LIMITS } from '../../config/limits.ts';
import { dropUnusedTls, setBasicAuth, setIndex, setUrl } from '../http/sink-parts.ts';
import { as, asCount, asSize, type OutputScope, template } from '../output-scope.ts';
import type { Param } from '../section.ts';
import { applySettings, each, type Fate, type Settings } from '../settings.ts';
import { tlsSettings } from '../tls-settings.ts';
import { fluentBitSize, truth } from '../values.ts';
import { fileOutput } from './file-output.ts';

interface BitOutput {
  readonly type: 'file' | 'http';
  readonly name: string;
  readonly translate: (scope: OutputScope) => void;
}

const UNCHANGED: Fate = { warn: 'events are sent as they were read' };
const VERSION: Fate = { note: 'requests suit all versions of the receiver that are in use' };

/** The output plugins that have a counterpart. */
export const BIT_OUTPUTS: Readonly<Record<string, BitOutput>> = {
  file: { type: 'file', name: 'archive', translate: fileOutput },
  http: { type: 'http', name: 'http', translate: httpOutput },
  es: { type: 'http', name: 'elasticsearch', translate: elasticsearchOutput },
  opensearch: { type: 'http', name: 'opensearch', translate: elasticsearchOutput },
  loki: { type: 'http', name: 'loki', translate: lokiOutput },
  splunk: { type: 'http', name: 'splunk', translate: splunkOutput },
};

/** Sets the address from `Host`, `Port` and `tls`, and gives what all outputs over HTTP have. */
function common(scope: OutputScope, defaults: { host: string; port: string; path: string }): Settings {
  const { section, keys } = scope;
  const tls = section.param('tls');
  const scheme = tls !== undefined && truth(tls.value) === true ? 'https' : 'http';
  setUrl(
    scope,
    {
      scheme,
      host: section.text('host') ?? defaults.host,
      port: section.text('port') ?? defaults.port,
      path: defaults.path,
    },
    section.param('host'),
  );
  setBasicAuth(scope, section.param('http_user'), section.param('http_passwd'));
  const compress = section.param('compress');
  if (compress === undefined || !/^gzip$/i.test(compress.value)) keys.set('compress', 'none', compress?.place);
  return {
    ...each(
      ['name', 'match', 'match_regex', 'alias', 'host', 'port', 'tls', 'http_user', 'http_passwd', 'compress'],
      undefined,
    ),
    ...tlsSettings(scope, {
      ca: ['tls.ca_file'],
      cert: ['tls.crt_file'],
      key: ['tls.key_file'],
      passphrase: ['tls.key_passwd'],
      verify: ['tls.verify', 'tls.verify_hostname'],
      insecure: [],
    }),
    'tls.vhost': as(scope, 'tls.server_name'),
    'tls.ca_path': { warn: 'name one file of authorities in tls.ca_file' },
    ...each(['tls.debug', 'tls.min_version', 'tls.max_version', 'tls.ciphers'], {
      note: 'TLS 1.2 and newer are spoken; see tls.min_version',
    }),
    workers: asCount(scope, 'concurrency', LIMITS.concurrency),
    retry_limit: { note: 'retries have no end here, and nothing is dropped after some of them' },
    'storage.total_limit_size': asSize(scope, 'spool.max_bytes', LIMITS.spoolBytes, fluentBitSize),
    log_level: { note: 'it concerns what Fluent Bit logs' },
    ...each(
      [
        'net.keepalive',
        'net.keepalive_idle_timeout',
        'net.keepalive_max_recycle',
        'net.connect_timeout',
        'net.max_worker_connections',
        'net.io_timeout',
        'buffer_size',
      ],
      {
        note: 'connections are kept, and timeout is for a whole request',
      },
    ),
    proxy: as(scope, 'proxy'),
  };
}

function header({ keys }: OutputScope): (param: Param) => Fate {
  return ({ value, place }) => {
    const match = /^(\S+)\s+(.+)$/.exec(value);
    if (match === null) return { warn: 'a name and a value were expected' };
    keys.set(['headers', match[1]!], match[2]!, place);
    return undefined;
  };
}

function httpOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  const format = section.param('format');
  keys.set('format', format?.value === 'json' ? 'json_array' : 'ndjson', format?.place);
  applySettings(
    section,
    'http',
    {
      ...common(scope, { host: '127.0.0.1', port: '80', path: section.text('uri') ?? '/' }),
      uri: undefined,
      format: ({ value }) =>
        /^json(?:_lines)?$/.test(value) ? undefined : { warn: `events are sent as JSON lines, not as ${value}` },
      header: header(scope),
      header_tag: { warn: 'headers are the same for all events' },
      http_method: ({ value }) => (/^post$/i.test(value) ? undefined : { warn: 'requests are POST' }),
      allow_duplicated_headers: { note: 'each header is sent once' },
      ...each(['json_date_key', 'json_date_format'], {
        warn: 'no field with the time is added; events have their own, or add has ${time}',
      }),
      log_response_payload: { note: 'the answer of a receiver that refuses is told' },
    },
    {},
    context.findings,
  );
  dropUnusedTls(keys);
}

function elasticsearchOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  keys.set('format', 'elasticsearch');
  const logstash = section.param('logstash_format');
  const prefix = section.param('logstash_prefix');
  const name = section.param('index');
  if (logstash !== undefined && truth(logstash.value) === true) {
    const base = prefix === undefined ? 'logstash' : template(scope, prefix, 'name');
    const separator = section.text('logstash_prefix_separator') ?? '-';
    setIndex(scope, `${base}${separator}${section.text('logstash_dateformat') ?? '%Y.%m.%d'}`, prefix ?? logstash);
  } else if (name === undefined) keys.set('index', 'fluent-bit', section.place);
  else setIndex(scope, template(scope, name, 'name'), name);
  keys.set(
    ['add', section.text('time_key') ?? '@timestamp'],
    '${time}',
    section.param('time_key')?.place ?? section.place,
  );
  const tagKey = section.text('tag_key') ?? 'flb-key';
  applySettings(
    section,
    section.type,
    {
      ...common(scope, { host: '127.0.0.1', port: '9200', path: section.text('path') ?? '' }),
      ...each(
        [
          'index',
          'logstash_format',
          'logstash_prefix',
          'logstash_prefix_separator',
          'logstash_dateformat',
          'path',
          'time_key',
          'tag_key',
        ],
        undefined,
      ),
      include_tag_key: ({ value, place }) => {
        if (truth(value) === true) keys.set(['add', tagKey], '${tag}', place);
      },
      write_operation: ({ value }) =>
        /^create$/i.test(value)
          ? undefined
          : { warn: 'documents are created, with an _id of their own, and never changed' },
      ...each(['type', 'suppress_type_name', 'generate_id'], VERSION),
      ...each(['id_key', 'pipeline', 'logstash_prefix_key'], {
        warn: 'each event has an _id of its own, and goes where its index says',
      }),
      ...each(['replace_dots', 'time_key_format', 'time_key_nanos', 'current_time_index'], UNCHANGED),
      ...each(['trace_output', 'trace_error'], {
        note: 'a refused event becomes a dead letter, with the reason of the receiver',
      }),
      ...each(
        [
          'cloud_id',
          'cloud_auth',
          'aws_auth',
          'aws_region',
          'aws_role_arn',
          'aws_sts_endpoint',
          'aws_external_id',
          'aws_service_name',
        ],
        {
          warn: 'name the address in url and the credentials in auth; requests are not signed',
        },
      ),
    },
    {},
    context.findings,
  );
  dropUnusedTls(keys);
}

function lokiOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  keys.set('format', 'loki');
  const labels = (param: Param): Fate => {
    const refused: string[] = [];
    for (const pair of param.value
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')) {
      const match = /^(\w+)\s*=\s*([^$].*|\$\{.*)$/.exec(pair);
      if (match === null) refused.push(pair);
      else
        keys.set(['labels', match[1]!], template(scope, { ...param, value: match[2]!.trim() }, 'event'), param.place);
    }
    return refused.length === 0
      ? undefined
      : { warn: `${refused.join(', ')}: labels are the same for all events, or come from the tag` };
  };
  applySettings(
    section,
    'loki',
    {
      ...common(scope, { host: '127.0.0.1', port: '3100', path: section.text('uri') ?? '' }),
      uri: undefined,
      tenant_id: as(scope, ['headers', 'X-Scope-OrgID']),
      labels,
      bearer_token: as(scope, 'auth.bearer'),
      header: header(scope),
      line_format: ({ value }) => (value === 'json' ? undefined : { warn: 'a line is the event as JSON' }),
      ...each(
        [
          'label_keys',
          'label_map_path',
          'structured_metadata',
          'structured_metadata_map_keys',
          'tenant_id_key',
          'auto_kubernetes_labels',
        ],
        {
          warn: 'labels are the same for all events, or come from the tag; fields stay in the line',
        },
      ),
      ...each(['remove_keys', 'drop_single_key'], UNCHANGED),
    },
    {},
    context.findings,
  );
  dropUnusedTls(keys);
}

function splunkOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  keys.set('format', 'splunk_hec');
  const token = section.param('splunk_token');
  if (token === undefined) context.findings.warn(section, 'the output has no splunk_token');
  else keys.set('auth.header.name', 'Authorization', token.place).set('auth.header.value', `Splunk ${token.value}`);
  applySettings(
    section,
    'splunk',
    {
      ...common(scope, { host: '127.0.0.1', port: '8088', path: '' }),
      splunk_token: undefined,
      splunk_send_raw: ({ value }) =>
        truth(value) === true ? { warn: 'each event is sent with its time, host and source type' } : undefined,
      event_index: (param) => setIndex(scope, template(scope, param, 'name'), param),
      event_sourcetype: as(scope, 'sourcetype'),
      ...each(['event_key', 'event_index_key', 'event_sourcetype_key'], {
        warn: 'it is the same for all events, and not taken from a field',
      }),
      ...each(['event_host', 'event_source'], {
        note: 'host and source of an event are the name of this node and of the source',
      }),
      event_field: { warn: 'fields beside an event are not sent; add puts them into it' },
      channel: { warn: 'an answer of 200 counts; leave indexer acknowledgement off' },
      http_debug_bad_request: { note: 'a refused event becomes a dead letter, with the reason of the receiver' },
    },
    {},
    context.findings,
  );
  dropUnusedTls(keys);
}
