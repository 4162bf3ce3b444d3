import type { HttpEvent } from '../http-event.ts';
import {
  isRecord,
  type JudgeContext,
  jsonBody,
  judgeStatus,
  retryAfter,
  statusReason,
  unreadable,
} from '../judge-status.ts';
import { sameVerdict } from '../same-verdict.ts';
import type { HttpResponse } from '../transport.ts';
import type { Verdict } from '../verdict.ts';

// Codes in Splunk Enterprise, "Troubleshoot HTTP Event Collector", possible error codes.

const SUCCESS = 0;

/** Token disabled, required, not valid; data channel missing or not valid; acknowledgement off; and their later kin. */
const MENDABLE = new Set([1, 2, 3, 4, 10, 11, 14, 16, 21, 22]);

/** Internal error, busy, unhealthy queues, acknowledgement unavailable, shutting down, at capacity. */
const RETRIED = new Set([8, 9, 18, 19, 20, 23, 24, 25, 26, 27]);

/** Data format, event field required, event field blank, indexed fields: one event is at fault. */
const OF_ONE_EVENT = new Set([6, 12, 13, 15]);

/** The index does not exist, or the token may not write to it. */
const INCORRECT_INDEX = 7;

/**
 * The verdicts of an answer of Splunk's HTTP Event Collector, whose code says more than its status.
 *
 * Where it names the event at fault (`invalid-event-number`, counted from 0), that one is rejected and the others are
 * sent again: Splunk does not say whether it kept those before it. The number of an incorrect index counts from 1 in some
 * versions, so there the request is split. Where all events have one index, that is for somebody to mend.
 */
export function judgeHec(
  response: HttpResponse,
  events: readonly HttpEvent[],
  context: JudgeContext & { readonly hasOneIndex: boolean },
): readonly Verdict[] {
  const isSuccess = response.status >= 200 && response.status < 300;
  const body = jsonBody(response);
  const code = isRecord(body) ? body.code : undefined;
  if (typeof code !== 'number') {
    const isWhole = response.complete || response.isTooLong;
    const why = isWhole ? 'no code of an event collector' : 'it broke off';
    return sameVerdict(isSuccess ? unreadable(response, why, context) : judgeStatus(response, context), events);
  }
  const reason = statusReason(response, context);
  if (MENDABLE.has(code)) return sameVerdict({ kind: 'blocked', reason }, events);
  if (RETRIED.has(code)) return sameVerdict({ kind: 'retry', reason, ...retryAfter(response, context) }, events);
  if (code === INCORRECT_INDEX) {
    return sameVerdict({ kind: context.hasOneIndex ? 'blocked' : 'split', reason }, events);
  }
  // Too large is said of the request, whatever code comes with it.
  if (OF_ONE_EVENT.has(code) && response.status !== 413) return rejectOne(events, numberIn(body), reason);
  if (isSuccess && code !== SUCCESS) return sameVerdict(unreadable(response, `code ${code}`, context), events);
  return sameVerdict(judgeStatus(response, context), events);
}

function numberIn(body: unknown): unknown {
  return isRecord(body) ? body['invalid-event-number'] : undefined;
}

function rejectOne(events: readonly HttpEvent[], number: unknown, reason: string): readonly Verdict[] {
  const isKnown = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < events.length;
  if (!isKnown) return sameVerdict({ kind: 'split', reason }, events);
  const others: Verdict = { kind: 'retry', reason: `another event of the request was refused: ${reason}` };
  return events.map((_, index) => (index === number ? { kind: 'rejected', reason } : others));
}
