import { dropUnusedTls, setBasicAuth } from '../../http/sink-parts.ts';
import { as, asHeaders, COMMON, type OutputScope, template } from '../../output-scope.ts';
import type { Param } from '../../section.ts';
import { applySettings, each, type Fate } from '../../settings.ts';
import { tlsSettings } from '../../tls-settings.ts';
import { jsonObject } from '../../values.ts';
import { bufferSections, sendingBuffer } from './buffer.ts';

const OF_FIELDS = { warn: 'labels are the same for all events, or come from the tag; fields stay in the line' };

/** fluent-plugin-grafana-loki. */
export function lokiOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  const { findings } = context;
  keys.set('format', 'loki');
  setBasicAuth(scope, section.param('username'), section.param('password'));
  const buffer = sendingBuffer(scope);
  const labels = (param: Param): Fate => {
    const members = jsonObject(param.value);
    if (members === undefined) return { warn: 'a JSON object was expected' };
    for (const [name, value] of members) {
      keys.set(['labels', name], template(scope, { ...param, value: String(value) }, 'event'), param.place);
    }
    return undefined;
  };
  applySettings(
    section,
    'loki',
    {
      ...buffer,
      ...COMMON,
      url: as(scope, 'url'),
      ...each(['username', 'password'], undefined),
      tenant: as(scope, ['headers', 'X-Scope-OrgID']),
      bearer_token_file: as(scope, 'auth.bearer_file'),
      extra_labels: labels,
      labels,
      custom_headers: asHeaders(scope),
      line_format: ({ value }) => (value === 'json' ? undefined : { warn: 'a line is the event as JSON' }),
      ...each(['label_keys', 'extract_kubernetes_labels', 'structured_metadata'], OF_FIELDS),
      ...each(['remove_keys', 'drop_single_key'], { warn: 'events are sent as they were read' }),
      include_thread_label: { note: 'no thread is told; entries of a stream are sent in order of time' },
      ...tlsSettings(scope, {
        ca: ['ca_cert'],
        cert: ['cert'],
        key: ['key'],
        passphrase: [],
        verify: [],
        insecure: ['insecure_tls'],
      }),
    },
    { ...bufferSections(scope, buffer), label: OF_FIELDS },
    findings,
  );
  dropUnusedTls(keys);
}
