import { isObject, parseJson } from '../json-parts.ts';
import { expectPost, Refusal } from '../store.ts';
import type { Protocol } from '../whole-request-store.ts';

/**
 * Grafana Loki's push in JSON (https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs): streams with
 * labels, and values of a time in nanoseconds, a line, and perhaps structured metadata.
 */
export const LOKI: Protocol = {
  *decode(request) {
    expectPost(request, '/loki/api/v1/push', 'application/json');
    const push = parseJson(request.body);
    if (!isObject(push) || !Array.isArray(push.streams)) throw new Refusal('there are no streams');
    for (const stream of push.streams) {
      if (!isObject(stream) || !isLabels(stream.stream)) throw new Refusal('a stream has no labels');
      if (!Array.isArray(stream.values)) throw new Refusal('a stream has no values');
      for (const value of stream.values) yield lineOf(value);
    }
  },
  success: { status: 204, contentType: 'text/plain', body: '' },
  refusal: (reason) => reason,
};

function isLabels(value: unknown): boolean {
  if (!isObject(value)) return false;
  const labels = Object.entries(value);
  return labels.length > 0 && labels.every(([name, text]) => /^[a-zA-Z_]\w*$/.test(name) && typeof text === 'string');
}

function lineOf(value: unknown): Buffer {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) throw new Refusal('a value is no pair');
  const [time, line, metadata] = value as unknown[];
  if (typeof time !== 'string' || !/^\d{19}$/.test(time)) throw new Refusal('a time is not in nanoseconds');
  if (typeof line !== 'string') throw new Refusal('a line is not a string');
  if (metadata !== undefined && !isObject(metadata)) throw new Refusal('metadata is not an object');
  return Buffer.from(line);
}
