import type { HttpEvent } from '../http-event.ts';
import { isRecord, type JudgeContext, jsonBody, judgeStatus, retryAfter, unreadable } from '../judge-status.ts';
import { reasonText } from '../reason-text.ts';
import { sameVerdict } from '../same-verdict.ts';
import type { HttpResponse } from '../transport.ts';
import { DELIVERED, type Verdict } from '../verdict.ts';

/**
 * Errors with status 400 that say nothing of the event: its index cannot take any. Dead letters of all that comes would
 * be the wrong end for a closed index, a full cluster or a missing pipeline. By type, with how the reason must read:
 * reasons of other types quote values of events, which must not be able to block a sink.
 */
const MENDABLE: ReadonlyMap<string, RegExp> = new Map([
  ['index_closed_exception', /^/],
  ['validation_exception', /maximum [a-z ]*shards open/],
  ['illegal_argument_exception', /^(?:no write index is defined for alias|pipeline with id \[)/],
]);

interface BulkItem {
  readonly id: unknown;
  readonly status: number;
  readonly type: string;
  readonly reason: string;
  readonly cause: string;
}

/**
 * The verdicts of a 2xx answer to a bulk request, item by item. 409 is delivered: the event is there already. An answer
 * whose items are not those of the request, in its order, says nothing of any event.
 */
export function judgeBulk(
  response: HttpResponse,
  events: readonly HttpEvent[],
  idOf: (event: HttpEvent) => string,
  context: JudgeContext,
): readonly Verdict[] {
  const unread = (why: string): readonly Verdict[] => sameVerdict(unreadable(response, why, context), events);
  if (response.isTooLong && events.length > 1) {
    // What is already there answers 409: to send it again in halves doubles nothing.
    return sameVerdict({ kind: 'split', reason: 'the answer is longer than what is read of it' }, events);
  }
  const body = jsonBody(response);
  if (!isRecord(body) || !Array.isArray(body.items)) return unread('no bulk answer');
  if (body.items.length !== events.length) return unread(`${body.items.length} items for ${events.length} events`);
  const verdicts: Verdict[] = [];
  for (const [index, event] of events.entries()) {
    const item = readItem(body.items[index]);
    if (item === undefined) return unread('an item without a status');
    if (item.id !== undefined && item.id !== idOf(event)) return unread('items of other events');
    verdicts.push(judgeItem(item, response, context));
  }
  return verdicts;
}

function judgeItem({ status, type, reason, cause }: BulkItem, response: HttpResponse, context: JudgeContext): Verdict {
  if ((status >= 200 && status < 300) || status === 409) return DELIVERED;
  const said = [type, reason, cause].filter((text) => text !== '').join(': ');
  const told = `item status ${status}: ${reasonText(said, context.redact)}`;
  const { kind } = judgeStatus({ ...response, status, body: Buffer.alloc(0) }, context);
  if (kind === 'retry') return { kind, reason: told, ...retryAfter(response, context) };
  if (kind === 'blocked' || MENDABLE.get(type)?.test(reason) === true) return { kind: 'blocked', reason: told };
  return { kind: 'rejected', reason: told };
}

/** `{"create":{"_id":…,"status":…,"error":{"type":…,"reason":…,"caused_by":{"reason":…}}}}` */
function readItem(item: unknown): BulkItem | undefined {
  const result = isRecord(item) ? Object.values(item)[0] : undefined;
  if (!isRecord(result) || typeof result.status !== 'number') return undefined;
  const error = isRecord(result.error) ? result.error : {};
  const cause = isRecord(error.caused_by) ? error.caused_by.reason : undefined;
  return {
    id: result._id,
    status: result.status,
    type: text(error.type) || 'error',
    reason: text(error.reason ?? result.error),
    cause: text(cause),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
