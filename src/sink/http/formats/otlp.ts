import path from 'node:path';
import { fixedEndpoint } from '../fixed-endpoint.ts';
import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import type { HttpEvent } from '../http-event.ts';
import { jsonString } from '../json-string.ts';
import { isRecord, jsonBody, judgeStatus, unreadable } from '../judge-status.ts';
import { reasonText } from '../reason-text.ts';
import { sameVerdict } from '../same-verdict.ts';
import type { HttpResponse } from '../transport.ts';
import { DELIVERED, type Verdict } from '../verdict.ts';

/**
 * OpenTelemetry logs over HTTP with a JSON body (OTLP Specification 1.x, "OTLP/HTTP" and "JSON Protobuf Encoding"): names
 * in lowerCamelCase, 64-bit integers as decimal strings. The body of a record is the line, its attributes say where it
 * stood; the resource is the service that sends, the host and the cluster (semantic conventions: service.name, host.name,
 * k8s.cluster.name, log.file.*).
 */
export class Otlp implements Format {
  readonly contentType = 'application/json';
  readonly #parts: FormatParts;
  readonly #head: string;

  constructor(parts: FormatParts) {
    this.#parts = parts;
    const { node, cluster } = parts.origin;
    // Required of every resource; Grafana Loki may refuse with 400 what has nothing to make a label of.
    const attributes = [text('service.name', 'auditail'), text('host.name', node)];
    if (cluster !== undefined) attributes.push(text('k8s.cluster.name', cluster));
    this.#head =
      `{"resourceLogs":[{"resource":{"attributes":${JSON.stringify(attributes)}},` +
      '"scopeLogs":[{"scope":{"name":"auditail"},"logRecords":[';
  }

  endpoint(url: URL): URL {
    return fixedEndpoint(url, '/v1/logs');
  }

  encode(events: readonly HttpEvent[]): Buffer {
    const observed = nanoseconds(this.#parts.context.now());
    const records = events.map((event) => {
      const body = jsonString(this.#parts.added.apply(event));
      return (
        `{"timeUnixNano":"${nanoseconds(event.time)}","observedTimeUnixNano":"${observed}",` +
        `"body":{"stringValue":${body}},"attributes":${JSON.stringify(attributesOf(event))}}`
      );
    });
    return Buffer.from(`${this.#head}${records.join(',')}]}]}]}`);
  }

  /**
   * Of a partial success the specification forbids another try, and the answer does not say which records were rejected:
   * all of the request's are, so that the dead letters hold them.
   */
  judge(response: HttpResponse, events: readonly HttpEvent[]): readonly Verdict[] {
    const { context } = this.#parts;
    const whole = judgeStatus(response, context);
    // An empty body is an empty message, which is full success.
    if (whole.kind !== 'delivered' || response.body.length === 0) return sameVerdict(whole, events);
    const body = jsonBody(response);
    const partial = isRecord(body) ? (body.partialSuccess ?? {}) : undefined;
    const count = isRecord(partial) ? Number(partial.rejectedLogRecords ?? 0) : Number.NaN;
    if (!isRecord(partial) || !Number.isInteger(count) || count < 0) {
      return sameVerdict(unreadable(response, 'no ExportLogsServiceResponse', context), events);
    }
    if (count === 0) return sameVerdict(DELIVERED, events);
    const said = reasonText(String(partial.errorMessage ?? ''), context.redact);
    const reason = `${count} of ${events.length} records were rejected, and the receiver does not say which`;
    return sameVerdict({ kind: 'rejected', reason: said === '' ? reason : `${reason}: ${said}` }, events);
  }
}

function attributesOf({ tag, path: file, offset, source }: HttpEvent): readonly object[] {
  return [
    text('tag', tag),
    text('log.source', source),
    text('log.file.path', file),
    text('log.file.name', path.basename(file)),
    { key: 'log.file.offset', value: { intValue: String(offset) } },
  ];
}

function text(key: string, value: string): object {
  return { key, value: { stringValue: value } };
}

/** fixed64: there are no times before 1970. */
function nanoseconds(timeMs: number): string {
  return String(BigInt(Math.max(0, Math.trunc(timeMs))) * 1_000_000n);
}
