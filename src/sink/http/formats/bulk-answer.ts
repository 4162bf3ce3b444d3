import type { HttpEvent } from '../http-event.ts';
import { isRecord, type JudgeContext, jsonBody, judgeStatus, retryAfter, unreadable } from '../judge-status.ts';
import { reasonText } from '../reason-text.ts';
import { sameVerdict } from '../same-verdict.ts';
import type { HttpResponse } from '../transport.ts';
import { DELIVERED, type Verdict } from '../verdict.ts';

/**
 * Errors with status 400 that say nothing of the event: its index cannot take any. Dead letters of all that comes would
 * be the wrong end for a closed index, a full cluster or a missing pipeline.
 */
const MENDABLE_TYPE = 'index_closed_exception';
const MENDABLE_REASON =
  /maximum (normal |frozen )?shards open|no write index is defined|pipeline with id \[.*\] does not exist/;

interface BulkItem {
  readonly id: unknown;
  readonly status: number;
  readonly type: string;
  readonly reason: string;
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

function judgeItem({ status, type, reason }: BulkItem, response: HttpResponse, context: JudgeContext): Verdict {
  if ((status >= 200 && status < 300) || status === 409) return DELIVERED;
  const text = reasonText(`${type}: ${reason}`, context.redact);
  const told = `item status ${status}: ${text}`;
  const { kind } = judgeStatus({ ...response, status, body: Buffer.alloc(0) }, context);
  if (kind === 'retry') return { kind, reason: told, ...retryAfter(response, context) };
  if (kind === 'blocked' || isMendable(type, reason)) return { kind: 'blocked', reason: told };
  return { kind: 'rejected', reason: told };
}

function isMendable(type: string, reason: string): boolean {
  return type === MENDABLE_TYPE || MENDABLE_REASON.test(reason);
}

/** `{"create":{"_id":…,"status":…,"error":{"type":…,"reason":…,"caused_by":{"reason":…}}}}` */
function readItem(item: unknown): BulkItem | undefined {
  const result = isRecord(item) ? Object.values(item)[0] : undefined;
  if (!isRecord(result) || typeof result.status !== 'number') return undefined;
  const error = isRecord(result.error) ? result.error : {};
  const cause = isRecord(error.caused_by) ? error.caused_by.reason : undefined;
  const reasons = [error.reason ?? result.error, cause].filter((text) => typeof text === 'string');
  const type = typeof error.type === 'string' ? error.type : 'error';
  return { id: result._id, status: result.status, type, reason: reasons.join(': ') };
}
