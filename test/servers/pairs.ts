import { hostname } from 'node:os';
import type { AuditWebhook } from './audit-webhook.ts';
import type { Loki } from './loki.ts';
import type { OtelCollector } from './otel-collector.ts';
import type { ProgramName } from './programs.ts';
import type { Telegraf } from './telegraf.ts';
import type { VictoriaLogs } from './victoria-logs.ts';

/** An event as a receiver has it. */
export interface StoredEvent {
  /** The line byte by byte, where the receiver keeps it; else its `auditID` and `stage`. */
  readonly key: string;
  /** Milliseconds since the epoch, where the receiver takes the time from the request. */
  readonly timeMs?: number;
}

/** A sink and the receiver behind it. */
export interface Pair {
  /** Name of the sink, after its format and its receiver. */
  readonly name: string;
  readonly program: ProgramName;
  /** `http://host:port` of the receiver. */
  readonly upstream: string;
  /** The proxy before the receiver wants a client certificate. */
  readonly mutual: boolean;
  /** What `StoredEvent.key` is. */
  readonly keptAs: 'line' | 'fields';
  /** Path and query of the sink's URL. */
  readonly path: string;
  /** Keys of the sink beyond those that all have. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Everything that the receiver stored of this sink. It may end the receiver. */
  stored(): Promise<readonly StoredEvent[]>;
}

/** How the documents of the formats set VictoriaLogs up. */
const VICTORIA_FIELDS = '_stream_fields=node&_time_field=@timestamp&_msg_field=requestURI';

/** @param fromMs,toMs what Loki is asked for, milliseconds since the epoch. */
export function lokiPairs(server: Loki, fromMs: number, toMs: number): Pair[] {
  const pair = (name: string, mutual: boolean, selector: string, rest: Pick<Pair, 'path' | 'settings'>): Pair => ({
    name,
    program: 'loki',
    upstream: server.url,
    mutual,
    keptAs: 'line',
    ...rest,
    stored: async () => {
      const lines = await server.query(selector, fromMs, toMs);
      return lines.map(({ line, time }) => ({ key: line, timeMs: milliseconds(time) }));
    },
  });
  return [
    pair('loki-loki', true, '{job="auditail"}', { path: '/', settings: { format: 'loki' } }),
    pair('otlp-loki', false, `{service_name="auditail", host_name="${hostname()}"}`, {
      path: '/otlp/v1/logs',
      settings: { format: 'otlp' },
    }),
  ];
}

export function victoriaPairs(server: VictoriaLogs): Pair[] {
  const pair = (name: string, mutual: boolean, path: string, settings: Pair['settings']): Pair => ({
    name,
    program: 'victoria-logs',
    upstream: server.url,
    mutual,
    keptAs: 'fields',
    path,
    settings,
    stored: async () => {
      const events = await server.query(`via:="${name}" | fields auditID, stage, _time`);
      return events.map(({ _time, ...fields }) => ({ key: keyOf(fields), timeMs: Date.parse(_time!) }));
    },
  });
  const add = (name: string) => ({ '@timestamp': '${time}', node: '${node}', via: name });
  return [
    pair('ndjson-victoria', false, `/insert/jsonline?${VICTORIA_FIELDS}`, {
      format: 'ndjson',
      add: add('ndjson-victoria'),
    }),
    pair('elasticsearch-victoria', true, `/insert/elasticsearch?${VICTORIA_FIELDS}`, {
      format: 'elasticsearch',
      index: 'audit-${tag[1..]}-%Y.%m.%d',
      add: add('elasticsearch-victoria'),
    }),
    pair('loki-victoria', false, '/insert/loki/api/v1/push', {
      format: 'loki',
      labels: { job: 'auditail', node: '${node}', via: 'loki-victoria' },
    }),
  ];
}

export function collectorPairs(server: OtelCollector): Pair[] {
  return [
    {
      name: 'otlp-collector',
      program: 'otel-collector',
      upstream: server.otlpUrl,
      mutual: true,
      keptAs: 'line',
      path: '/',
      settings: { format: 'otlp', cluster: 'blue' },
      stored: async () => {
        const records = await server.endAndRead('otlp');
        return records.map(({ body, time }) => ({ key: String(body), timeMs: milliseconds(time) }));
      },
    },
    {
      name: 'splunk-collector',
      program: 'otel-collector',
      upstream: server.splunkUrl,
      mutual: false,
      keptAs: 'fields',
      path: '/',
      settings: {
        format: 'splunk_hec',
        auth: { header: { name: 'Authorization', value: 'Splunk 00000000-0000-0000-0000-000000000000' } },
      },
      stored: async () => {
        const records = await server.endAndRead('splunk');
        return records.map(({ body, time }) => ({ key: keyOf(body as object), timeMs: milliseconds(time) }));
      },
    },
  ];
}

export function telegrafPair(server: Telegraf): Pair {
  const { origin, pathname } = new URL(server.url);
  return {
    name: 'array-telegraf',
    program: 'telegraf',
    upstream: origin,
    mutual: true,
    keptAs: 'fields',
    path: pathname,
    settings: { format: 'json_array' },
    stored: async () => (await server.endAndRead()).map((fields) => ({ key: keyOf(fields) })),
  };
}

export function webhookPair(server: AuditWebhook): Pair {
  return {
    name: 'list-webhook',
    program: 'audit-webhook',
    upstream: new URL(server.url).origin,
    mutual: false,
    keptAs: 'fields',
    path: '/k8s-audit',
    settings: { format: 'event_list', unparsed: 'skip' },
    stored: async () => server.read().map((event) => ({ key: keyOf(event) })),
  };
}

/** What tells the lines of a log apart: a request has one event a stage. */
export function keyOf(event: { readonly auditID?: unknown; readonly stage?: unknown }): string {
  return `${event.auditID} ${event.stage}`;
}

/** Splunk's times are seconds with a fraction, which is not exact in nanoseconds. */
function milliseconds(nanoseconds: bigint): number {
  return Math.round(Number(nanoseconds / 1000n) / 1000);
}
