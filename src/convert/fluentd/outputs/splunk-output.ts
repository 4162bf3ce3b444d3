import { LIMITS } from '../../../config/limits.ts';
import { dropUnusedTls, setIndex, setUrl } from '../../http/sink-parts.ts';
import { as, asDuration, COMMON, type OutputScope, template } from '../../output-scope.ts';
import { applySettings, each } from '../../settings.ts';
import { tlsSettings } from '../../tls-settings.ts';
import { truth } from '../../values.ts';
import { bufferSections, sendingBuffer } from './buffer.ts';

const OF_FIELDS = { warn: 'it is the same for all events, and not taken from a field' };

/** fluent-plugin-splunk-hec, and splunk_hec of fluent-plugin-splunk. */
export function splunkOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  const { findings } = context;
  keys.set('format', 'splunk_hec');
  const secure =
    section.text('use_ssl') === undefined
      ? (section.text('protocol') ?? 'https')
      : truth(section.text('use_ssl')!) === true
        ? 'https'
        : 'http';
  const host = section.param('hec_host', 'host', 'full_url');
  if (host?.key === 'full_url') keys.set('url', host.value, host.place);
  else if (host === undefined) findings.warn(section, 'the output has no hec_host');
  else setUrl(scope, { scheme: secure, host: host.value, port: section.text('hec_port', 'port') ?? '8088' }, host);
  const token = section.param('hec_token', 'token');
  if (token === undefined) findings.warn(section, 'the output has no hec_token');
  else keys.set('auth.header.name', 'Authorization', token.place).set('auth.header.value', `Splunk ${token.value}`);
  const buffer = sendingBuffer(scope);
  applySettings(
    section,
    section.type,
    {
      ...buffer,
      ...COMMON,
      ...each(
        ['hec_host', 'host', 'hec_port', 'port', 'protocol', 'use_ssl', 'full_url', 'hec_token', 'token'],
        undefined,
      ),
      index: (param) => setIndex(scope, template(scope, param, 'name'), param),
      sourcetype: as(scope, 'sourcetype'),
      ...each(['default_index'], as(scope, 'index')),
      ...each(
        ['index_key', 'sourcetype_key', 'source_key', 'host_key', 'metric_name_key', 'metric_value_key', 'keep_keys'],
        OF_FIELDS,
      ),
      ...each(['source', 'default_source'], { note: 'the source of an event is the name of the source here' }),
      ...each(['default_host', 'event_host'], { note: 'the host of an event is the name of this node' }),
      data_type: ({ value }) => (value === 'event' ? undefined : { warn: 'events are sent, not metrics' }),
      ...each(['use_ack', 'channel', 'ack_interval', 'ack_retry_limit'], {
        warn: 'an answer of 200 counts; leave indexer acknowledgement off',
      }),
      ...each(['gzip_compression'], { note: 'bodies are gzip' }),
      ...each(['read_timeout'], asDuration(scope, 'timeout', LIMITS.timeout)),
      ...each(['open_timeout', 'idle_timeout'], { note: 'timeout is for a whole request' }),
      ...each(['consume_chunk_on_4xx_errors'], { note: 'what is refused for good becomes a dead letter' }),
      ...tlsSettings(scope, {
        ca: ['ca_file'],
        cert: ['client_cert'],
        key: ['client_key'],
        passphrase: ['client_key_pass'],
        verify: ['ssl_verify'],
        insecure: ['insecure_ssl'],
      }),
      ...each(['ca_path', 'ssl_ciphers', 'require_ssl_min_version'], {
        warn: 'name the authority in tls.ca_file; TLS 1.2 and newer are spoken',
      }),
    },
    { ...bufferSections(scope, buffer), fields: OF_FIELDS, format: { note: 'events are sent as JSON' } },
    findings,
  );
  dropUnusedTls(keys);
}
