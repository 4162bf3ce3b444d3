import { LIMITS } from '../../../config/limits.ts';
import { dropUnusedTls, setBasicAuth, setIndex, setUrl } from '../../http/sink-parts.ts';
import { asDuration, asHeaders, COMMON, type OutputScope, template } from '../../output-scope.ts';
import { applySettings, each } from '../../settings.ts';
import { tlsSettings } from '../../tls-settings.ts';
import { truth } from '../../values.ts';
import { bufferSections, sendingBuffer } from './buffer.ts';

const CONNECTING = { note: 'connections are kept, and made anew when they fail' };
const UNCHANGED = { warn: 'events are sent as they were read' };
const TEMPLATES = { warn: 'no template is installed; deploy/elasticsearch has one for audit events' };

/** fluent-plugin-elasticsearch and its siblings: elasticsearch, elasticsearch_dynamic, elasticsearch_data_stream, opensearch. */
export function elasticsearchOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  const { findings } = context;
  keys.set('format', 'elasticsearch');
  address(scope);
  setBasicAuth(scope, section.param('user'), section.param('password'));
  index(scope);
  const tagKey = section.text('tag_key') ?? 'tag';
  const buffer = sendingBuffer(scope);
  applySettings(
    section,
    section.type,
    {
      ...buffer,
      ...COMMON,
      ...each(['host', 'hosts', 'port', 'scheme', 'path', 'user', 'password'], undefined),
      ...each(
        [
          'index_name',
          'data_stream_name',
          'logstash_format',
          'logstash_prefix',
          'logstash_prefix_separator',
          'logstash_dateformat',
        ],
        undefined,
      ),
      ...tlsSettings(scope, {
        ca: ['ca_file'],
        cert: ['client_cert'],
        key: ['client_key'],
        passphrase: ['client_key_pass'],
        verify: ['ssl_verify'],
        insecure: [],
      }),
      ...each(['ssl_version', 'ssl_max_version', 'ssl_min_version'], {
        note: 'TLS 1.2 and newer are spoken; see tls.min_version',
      }),
      request_timeout: asDuration(scope, 'timeout', LIMITS.timeout),
      include_tag_key: ({ value, place }) => {
        if (truth(value) === true) keys.set(['add', tagKey], '${tag}', place);
      },
      tag_key: undefined,
      include_timestamp: ({ value, place }) => {
        if (truth(value) === true) keys.set(['add', '@timestamp'], '${time}', place);
      },
      write_operation: ({ value }) =>
        value === 'create' ? undefined : { warn: 'documents are created, with an _id of their own, and never changed' },
      ...each(
        [
          'reload_connections',
          'reload_on_failure',
          'reconnect_on_error',
          'resurrect_after',
          'sniffer_class_name',
          'http_backend',
          'prefer_oj_serializer',
        ],
        CONNECTING,
      ),
      ...each(
        [
          'log_es_400_reason',
          'with_transporter_log',
          'emit_error_for_missing_id',
          'emit_error_label_event',
          'ignore_exceptions',
          'exception_backup',
          'unrecoverable_error_types',
          'unrecoverable_record_types',
        ],
        {
          note: 'a refused event becomes a dead letter, with the reason of the receiver',
        },
      ),
      ...each(
        [
          'bulk_message_request_threshold',
          'compression_level',
          'max_retry_get_es_version',
          'fail_on_putting_template_retry_exceed',
          'fail_on_detecting_es_version_retry_exceed',
          'verify_es_version_at_startup',
          'default_elasticsearch_version',
          'default_opensearch_version',
          'suppress_type_name',
          'type_name',
          'include_index_in_url',
          'validate_client_version',
        ],
        {
          note: 'bulk requests of gzip bodies are sent, that suit all versions since 7',
        },
      ),
      ...each(['utc_index'], { note: 'the times of an index are in UTC' }),
      ...each(['id_key', 'parent_key', 'routing_key', 'pipeline', 'join_key'], {
        warn: 'each event has an _id of its own, and goes where its index says',
      }),
      ...each(
        [
          'remove_keys',
          'flatten_hashes',
          'flatten_hashes_separator',
          'time_key',
          'time_key_format',
          'time_precision',
          'time_key_exclude_timestamp',
          'target_index_key',
          'target_type_key',
          'remove_keys_on_update',
        ],
        UNCHANGED,
      ),
      ...each(
        [
          'template_name',
          'template_file',
          'template_overwrite',
          'templates',
          'customize_template',
          'use_legacy_template',
          'index_prefix',
          'index_date_pattern',
          'enable_ilm',
          'ilm_policy_id',
          'ilm_policy',
          'rollover_index',
          'data_stream_template_name',
          'data_stream_ilm_name',
          'application_name',
          'index_separator',
          'deflector_alias',
        ],
        TEMPLATES,
      ),
      custom_headers: asHeaders(scope),
    },
    bufferSections(scope, buffer),
    findings,
  );
  dropUnusedTls(keys);
}

function address(scope: OutputScope): void {
  const { section, context } = scope;
  const hosts = section.param('hosts');
  const first = hosts?.value.split(',')[0]?.trim();
  if (hosts?.value.includes(',') === true) {
    context.findings.warn(hosts, 'hosts: a sink has one url, and the first is taken; put the others behind one name');
  }
  const scheme = section.text('scheme') ?? 'http';
  if (first !== undefined && /^https?:/.test(first)) {
    const url = URL.canParse(first) ? new URL(first) : undefined;
    if (url !== undefined && url.username !== '') {
      context.findings.warn(hosts!, 'hosts: user and password of the address are left out; put them into auth');
      url.username = url.password = '';
    }
    scope.keys.set('url', (url?.href ?? first).replace(/\/$/, ''), hosts!.place);
    return;
  }
  const [host, port] = first === undefined ? [section.text('host') ?? 'localhost', undefined] : first.split(':');
  setUrl(
    scope,
    { scheme, host: host!, port: port ?? section.text('port') ?? '9200', path: section.text('path') },
    section.param('host', 'hosts'),
  );
}

function index(scope: OutputScope): void {
  const { section, keys } = scope;
  const stream = section.param('data_stream_name');
  if (stream !== undefined) {
    setIndex(scope, template(scope, stream, 'name'), stream);
    keys.set('data_stream', true, stream.place);
    return;
  }
  const logstash = section.param('logstash_format');
  if (logstash !== undefined && truth(logstash.value) === true) {
    const prefix = section.param('logstash_prefix');
    const separator = section.text('logstash_prefix_separator') ?? '-';
    const date = section.text('logstash_dateformat') ?? '%Y.%m.%d';
    const name = prefix === undefined ? 'logstash' : template(scope, prefix, 'name');
    setIndex(scope, `${name}${separator}${date}`, prefix ?? logstash);
    keys.set(['add', '@timestamp'], '${time}', logstash.place);
    return;
  }
  const name = section.param('index_name');
  if (name !== undefined) setIndex(scope, template(scope, name, 'name'), name);
  else keys.set('index', 'fluentd', section.place);
}
