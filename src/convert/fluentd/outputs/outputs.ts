import type { OutputScope } from '../../output-scope.ts';
import { elasticsearchOutput } from './elasticsearch-output.ts';
import { fileOutput } from './file-output.ts';
import { httpOutput } from './http-output.ts';
import { lokiOutput } from './loki-output.ts';
import { splunkOutput } from './splunk-output.ts';

export interface OutputPlugin {
  readonly type: 'file' | 'http';
  /** Of sinks that have no other. */
  readonly name: string;
  readonly translate: (scope: OutputScope) => void;
}

const ELASTICSEARCH: OutputPlugin = { type: 'http', name: 'elasticsearch', translate: elasticsearchOutput };
const SPLUNK: OutputPlugin = { type: 'http', name: 'splunk', translate: splunkOutput };

/** The output plugins that have a counterpart. */
export const OUTPUTS: Readonly<Record<string, OutputPlugin>> = {
  file: { type: 'file', name: 'archive', translate: fileOutput },
  http: { type: 'http', name: 'http', translate: httpOutput },
  elasticsearch: ELASTICSEARCH,
  elasticsearch_dynamic: ELASTICSEARCH,
  elasticsearch_data_stream: ELASTICSEARCH,
  opensearch: { ...ELASTICSEARCH, name: 'opensearch' },
  opensearch_data_stream: { ...ELASTICSEARCH, name: 'opensearch' },
  loki: { type: 'http', name: 'loki', translate: lokiOutput },
  splunk_hec: SPLUNK,
};
