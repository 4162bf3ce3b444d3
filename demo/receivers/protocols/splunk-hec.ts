import { isObject, memberOf, parseJson, valuesOf } from '../json-parts.ts';
import { pathname, Refusal } from '../store.ts';
import type { Protocol } from '../whole-request-store.ts';

const PATHS = new Set(['/services/collector', '/services/collector/event', '/services/collector/event/1.0']);

/**
 * Splunk's HTTP event collector
 * (https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector): objects one after the
 * other, not in an array, each with an `event` and perhaps metadata. It does not look at the content type.
 */
export const SPLUNK_HEC: Protocol = {
  *decode(request) {
    if (request.method !== 'POST') throw new Refusal('method is not allowed', 405);
    if (!PATHS.has(pathname(request))) throw new Refusal('there is nothing here', 404);
    for (const bytes of valuesOf(request.body)) {
      const value = parseJson(bytes);
      if (!isObject(value)) throw new Refusal('Invalid data format');
      const event = memberOf(bytes, 'event');
      if (event === undefined) throw new Refusal('Event field is required');
      if (value.event === '' || value.event === null) throw new Refusal('Event field cannot be blank');
      if (!isTime(value.time)) throw new Refusal('Error in handling time');
      yield typeof value.event === 'string' ? Buffer.from(value.event) : event;
    }
  },
  success: { status: 200, contentType: 'application/json', body: '{"text":"Success","code":0}' },
  refusal: (reason, position) => ({ text: reason, code: 6, 'invalid-event-number': position }),
};

/** Seconds, as a number or as text; without one the time of arrival counts. */
function isTime(value: unknown): boolean {
  return value === undefined || Number.isFinite(value) || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value));
}
