import type { FileSinkConfig, HttpSinkConfig, Overflow, SinkConfig } from '../../config/types.ts';
import { formatDuration, formatSize } from '../../config/units.ts';
import { originOf } from '../format/origin.ts';

/** Where a sink puts events, and how, for a line of text. */
export function describeSink(sink: SinkConfig): string {
  return sink.type === 'file'
    ? `${sink.path} (${describeFiles(sink)})`
    : `${originOf(sink.url)} (${describeRequests(sink)})`;
}

/** A sink's facts for programs: all of a file sink's configuration, and of an HTTP sink's what is no secret. */
export function sinkFacts(sink: SinkConfig): Record<string, unknown> {
  if (sink.type === 'file') return { ...sink };
  const { name, type, match, url, headers, auth, proxy, ...rest } = sink;
  return {
    name,
    type,
    match,
    origin: originOf(url),
    ...rest,
    headers: Object.keys(headers),
    auth: auth?.kind ?? null,
    proxy: proxy === undefined ? null : originOf(proxy),
  };
}

function describeFiles({ compress, level, timezone, retention: { maxAgeMs, maxBytes } }: FileSinkConfig): string {
  const kept = [
    ...(maxAgeMs === undefined ? [] : [formatDuration(maxAgeMs)]),
    ...(maxBytes === undefined ? [] : [`up to ${formatSize(maxBytes)}`]),
  ];
  const compressed = compress === 'none' ? 'not compressed' : `${compress} ${level}`;
  return `${compressed}, ${timezone}, kept ${kept.length === 0 ? 'for ever' : kept.join(' and ')}`;
}

function describeRequests({ format, compress, auth, tls, spool, deadletter }: HttpSinkConfig): string {
  const credentials = [
    ...(auth === undefined ? [] : [auth.kind]),
    ...(tls.certFile === undefined ? [] : ['client certificate']),
  ];
  return [
    format,
    compress === 'none' ? 'not compressed' : compress,
    credentials.length === 0 ? 'no auth' : `auth by ${credentials.join(' and ')}`,
    `spool ${limited(spool)}`,
    `dead letters ${limited(deadletter)}`,
  ].join(', ');
}

function limited({ maxBytes, overflow }: { readonly maxBytes: number; readonly overflow: Overflow }): string {
  return `up to ${formatSize(maxBytes)}${overflow === 'block' ? '' : ', then the oldest is dropped'}`;
}
