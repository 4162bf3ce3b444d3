import type { HttpSinkConfig } from '../../../config/types.ts';
import { AuditailError } from '../../../errors.ts';
import { EventTemplate, parseEventTemplate } from '../event-template.ts';
import { fixedEndpoint } from '../fixed-endpoint.ts';
import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import type { HttpEvent } from '../http-event.ts';
import { jsonString } from '../json-string.ts';
import { judgeStatus } from '../judge-status.ts';
import { sameVerdict } from '../same-verdict.ts';
import type { HttpResponse } from '../transport.ts';
import type { Verdict } from '../verdict.ts';

/** Prometheus data model, "Metric names and labels"; two leading underscores are for internal use. */
const LABEL_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

/** Loki configuration reference, limits_config: max_label_names_per_series, which stands at 15 by default. */
const MAX_LABELS = 15;

/** Loki configuration reference, limits_config: max_label_value_length, bytes, by default. */
const MAX_VALUE_BYTES = 2048;

/**
 * Grafana Loki's push API with a JSON body (Loki HTTP API, "Ingest logs"): entries grouped into streams by their labels,
 * each a time in nanoseconds and the line, both strings.
 *
 * Loki answers 204. Of a request with entries that it refuses (too old, too long) it stores the others and answers 400
 * ("total ignored: 1 out of 2"): the request is split until each refused entry stands alone and becomes a dead letter.
 * What is sent again is the same stream, time and line, which Loki drops while its chunk is in memory (grafana/loki#1519).
 */
export class Loki implements Format {
  readonly contentType = 'application/json';
  readonly #parts: FormatParts;
  readonly #labels: readonly { readonly name: string; readonly template: EventTemplate }[];

  /** @throws AuditailError `TEMPLATE` */
  constructor(config: Pick<HttpSinkConfig, 'labels'>, parts: FormatParts) {
    this.#parts = parts;
    checkLabels(config.labels, parts.origin.cluster);
    this.#labels = Object.entries(config.labels).map(([name, value]) => ({
      name,
      template: new EventTemplate(value, parts.origin),
    }));
  }

  endpoint(url: URL): URL {
    return fixedEndpoint(url, '/loki/api/v1/push');
  }

  encode(events: readonly HttpEvent[]): Buffer {
    const streams = Map.groupBy(events, (event) => this.#stream(event));
    const parts: string[] = [];
    for (const [stream, members] of streams) {
      const values = members
        .toSorted((a, b) => a.time - b.time)
        .map((event) => `["${nanoseconds(event.time)}",${jsonString(this.#parts.added.apply(event))}]`);
      parts.push(`{"stream":${stream},"values":[${values.join(',')}]}`);
    }
    return Buffer.from(`{"streams":[${parts.join(',')}]}`);
  }

  judge(response: HttpResponse, events: readonly HttpEvent[]): readonly Verdict[] {
    return sameVerdict(judgeStatus(response, this.#parts.context), events);
  }

  /** The labels as JSON, always in one order. Loki refuses a stream without any, and knows no empty value. */
  #stream(event: HttpEvent): string {
    const labels: [string, string][] = [];
    for (const { name, template } of this.#labels) {
      const value = cutValue(template.render(event));
      if (value !== '') labels.push([name, value]);
    }
    return JSON.stringify(Object.fromEntries(labels.length === 0 ? [['job', 'auditail']] : labels));
  }
}

/**
 * @throws AuditailError `TEMPLATE` with the reason, when Loki would refuse the labels, or when each event would have a
 * stream of its own.
 */
export function checkLabels(labels: Readonly<Record<string, string>>, cluster: string | undefined): void {
  const names = Object.keys(labels);
  if (names.length === 0) throw new AuditailError('TEMPLATE', 'a stream needs at least one label');
  if (names.length > MAX_LABELS) throw new AuditailError('TEMPLATE', `a stream has at most ${MAX_LABELS} labels`);
  for (const [name, template] of Object.entries(labels)) checkLabel(name, template, cluster);
}

/** {@link checkLabels} of one label. @throws AuditailError `TEMPLATE` */
export function checkLabel(name: string, template: string, cluster: string | undefined): void {
  if (!LABEL_NAME.test(name)) {
    throw new AuditailError('TEMPLATE', `the label name ${JSON.stringify(name)} is not valid`, {
      hint: 'Use letters, digits and _, beginning with a letter or one _',
    });
  }
  const { pieces } = parseEventTemplate(template, cluster);
  if (pieces.some((piece) => piece.kind === 'name' && piece.name === 'time')) {
    throw new AuditailError('TEMPLATE', `the label '${name}' holds the time: every event would be a stream`, {
      hint: 'Remove ${time}; entries have their time anyway',
    });
  }
}

/** Beyond this Loki refuses the whole stream. Never in two halves of one character. */
function cutValue(value: string): string {
  if (Buffer.byteLength(value) <= MAX_VALUE_BYTES) return value;
  return Buffer.from(value)
    .toString('utf8', 0, MAX_VALUE_BYTES)
    .replace(/\uFFFD+$/, '');
}

/** A decimal string, since it does not fit into a number. */
function nanoseconds(timeMs: number): string {
  return String(BigInt(Math.trunc(timeMs)) * 1_000_000n);
}
