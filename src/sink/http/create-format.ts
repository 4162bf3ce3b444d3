import type { HttpSinkConfig } from '../../config/types.ts';
import { AddedFields, type AddedValue } from './added-fields.ts';
import { redactor } from './config-secrets.ts';
import type { Format } from './format.ts';
import type { FormatParts } from './format-parts.ts';
import { Elasticsearch } from './formats/elasticsearch.ts';
import { eventList } from './formats/event-list.ts';
import { jsonArray } from './formats/json-array.ts';
import { Loki } from './formats/loki.ts';
import { ndjson } from './formats/ndjson.ts';
import { Otlp } from './formats/otlp.ts';
import { SplunkHec } from './formats/splunk-hec.ts';

/**
 * The wire format of a sink.
 *
 * @param options `node` is the name of this host, where the sink has none of its own; `now` gives milliseconds since the epoch
 * @throws AuditailError `TEMPLATE` when `add`, `index` or `labels` cannot be used; the configuration's checks find the
 * same beforehand
 */
export function createFormat(config: HttpSinkConfig, options: { node: string; now?: () => number }): Format {
  const { node, now = Date.now } = options;
  const origin = { node: config.node ?? node, cluster: config.cluster };
  const parts: FormatParts = {
    origin,
    added: new AddedFields(fieldsToAdd(config), origin),
    context: { now, redact: redactor(config, now) },
  };
  switch (config.format) {
    case 'ndjson':
      return ndjson(parts);
    case 'json_array':
      return jsonArray(parts);
    case 'elasticsearch':
      return new Elasticsearch(config, parts);
    case 'loki':
      return new Loki(config, parts);
    case 'splunk_hec':
      return new SplunkHec(config, parts);
    case 'otlp':
      return new Otlp(parts);
    case 'event_list':
      return eventList(parts);
  }
}

/** `add` as the sink sends it: documents of a data stream must have `@timestamp`. */
export function fieldsToAdd(
  config: Pick<HttpSinkConfig, 'add' | 'dataStream' | 'format'>,
): Readonly<Record<string, AddedValue>> {
  if (config.format !== 'elasticsearch' || !config.dataStream) return config.add;
  return { '@timestamp': '${time}', ...config.add };
}
