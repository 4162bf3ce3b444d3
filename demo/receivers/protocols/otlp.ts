import { isObject, parseJson } from '../json-parts.ts';
import { expectPost, Refusal } from '../store.ts';
import type { Protocol } from '../whole-request-store.ts';

/**
 * OTLP/HTTP logs in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp, opentelemetry/proto/logs/v1/logs.proto):
 * `resourceLogs` of `scopeLogs` of `logRecords`; 64-bit numbers are text. The events are the bodies that are text.
 */
export const OTLP: Protocol = {
  *decode(request) {
    expectPost(request, '/v1/logs', 'application/json');
    const data = parseJson(request.body);
    for (const resource of listIn(data, 'resourceLogs')) {
      for (const scope of listIn(resource, 'scopeLogs')) {
        for (const entry of listIn(scope, 'logRecords')) yield bodyOf(entry);
      }
    }
  },
  success: { status: 200, contentType: 'application/json', body: '{"partialSuccess":{}}' },
  refusal: (reason) => ({ code: 3, message: reason }),
};

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = isObject(value) ? value[name] : undefined;
  if (!Array.isArray(list)) throw new Refusal(`${name} is not an array`);
  return list;
}

function bodyOf(entry: unknown): Buffer {
  if (!isObject(entry) || !isObject(entry.body)) throw new Refusal('a log record has no body');
  for (const name of ['timeUnixNano', 'observedTimeUnixNano']) {
    const time = entry[name];
    if (time !== undefined && !(typeof time === 'string' && /^\d+$/.test(time)))
      throw new Refusal(`${name} is not text`);
  }
  const text = entry.body.stringValue;
  if (typeof text !== 'string') throw new Refusal('a body is not a string');
  return Buffer.from(text);
}
