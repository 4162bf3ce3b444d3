import type { HttpSinkConfig, Secret } from '../../../src/config/types.ts';

export const secret = (text: string): Secret => ({ reveal: () => text });

/** A sink's configuration with its defaults, but for what is given. */
export function httpConfig(fields: Partial<HttpSinkConfig> & Pick<HttpSinkConfig, 'format'>): HttpSinkConfig {
  return {
    name: 'out',
    type: 'http',
    match: '**',
    url: secret('https://logs.example/'),
    headers: {},
    auth: undefined,
    tls: { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined, minVersion: '1.2' },
    proxy: undefined,
    compress: 'gzip',
    batch: { events: 2000, bytes: 4 * 1024 * 1024, ageMs: 1000 },
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
    labels: { job: 'auditail' },
    sourcetype: 'kube:apiserver-audit',
    ...fields,
  };
}
