import { LIMITS } from '../../../config/limits.ts';
import { dropUnusedTls, setBasicAuth } from '../../http/sink-parts.ts';
import { as, asDuration, asHeaders, COMMON, type OutputScope } from '../../output-scope.ts';
import { applySettings, each } from '../../settings.ts';
import { tlsSettings } from '../../tls-settings.ts';
import { truth } from '../../values.ts';
import { bufferSections, sendingBuffer } from './buffer.ts';

/** fluentd's own out_http. */
export function httpOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  const { findings } = context;
  const array = section.param('json_array');
  keys.set('format', array !== undefined && truth(array.value) === true ? 'json_array' : 'ndjson', array?.place);
  const compress = section.param('compress');
  if (compress?.value !== 'gzip') keys.set('compress', 'none', compress?.place);
  const endpoint = section.param('endpoint', 'endpoint_url');
  if (endpoint === undefined) findings.warn(section, 'the output has no endpoint');
  if (endpoint !== undefined && /\$\{(?!env:)|__TAG/.test(endpoint.value)) {
    findings.warn(
      endpoint,
      `${endpoint.key}: a sink has one url; make a sink for each address, with a match of its own`,
    );
  }
  const buffer = sendingBuffer(scope);
  const auth = (child: typeof section) => {
    if ((child.text('method') ?? 'basic') !== 'basic')
      findings.warnAll(child, '<auth>: only the method basic is translated');
    else setBasicAuth(scope, child.param('username'), child.param('password'));
    applySettings(child, '<auth>', each(['method', 'username', 'password'], undefined), {}, findings);
  };
  const format = (child: typeof section) => {
    applySettings(
      child,
      '<format>',
      {
        '@type': ({ value }) => jsonOnly(value),
        ...each(['add_newline', 'newline'], { note: 'lines end with a newline' }),
      },
      {},
      findings,
    );
  };
  applySettings(
    section,
    'http',
    {
      ...buffer,
      ...COMMON,
      endpoint: as(scope, 'url'),
      endpoint_url: as(scope, 'url'),
      http_method: ({ value }) => (/^post$/i.test(value) ? undefined : { warn: 'requests are POST' }),
      json_array: undefined,
      compress: undefined,
      content_type: ({ value }) =>
        /^application\/(?:x-nd)?json(?:$|[; ])|^application\/json-lines/.test(value)
          ? undefined
          : { warn: 'the content type is that of the format' },
      headers: asHeaders(scope),
      headers_from_placeholders: { warn: 'headers are the same for all events' },
      proxy: as(scope, 'proxy'),
      read_timeout: asDuration(scope, 'timeout', LIMITS.timeout),
      ...each(['open_timeout', 'ssl_timeout'], { note: 'timeout is for a whole request' }),
      ...tlsSettings(scope, {
        ca: ['tls_ca_cert_path'],
        cert: ['tls_client_cert_path'],
        key: ['tls_private_key_path'],
        passphrase: ['tls_private_key_passphrase'],
        verify: ['tls_verify_mode'],
        insecure: [],
      }),
      ...each(['tls_version', 'tls_ciphers'], { note: 'TLS 1.2 and newer are spoken; see tls.min_version' }),
      ...each(['error_response_as_unrecoverable', 'retryable_response_codes'], {
        note: 'what an answer means is fixed: 429 and 5xx are tried again, and only what is refused for good becomes a dead letter',
      }),
      reuse_connections: { note: 'connections are kept' },
      format: ({ value }) => jsonOnly(value),
    },
    { ...bufferSections(scope, buffer), auth, format },
    findings,
  );
  dropUnusedTls(keys);
}

function jsonOnly(value: string) {
  return value === 'json' ? undefined : { warn: `events are sent as JSON, not as ${value}` };
}
