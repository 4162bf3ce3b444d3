import { EventScanner } from '../../event/scanner.ts';
import { MAX_RETRY_AFTER_MS } from './backoff.ts';
import { type Redact, reasonText } from './reason-text.ts';
import type { HttpResponse } from './transport.ts';
import { DELIVERED, type Verdict } from './verdict.ts';

/** RFC 9110 section 5.6.7: the one form of an HTTP date that does not name its zone, which is GMT. */
const ASCTIME = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

/**
 * Answers to how the request was made, whatever its events: method, representation, length, proxy credentials, protocol.
 * Dead letters of every event that comes would be the wrong end for a wrong URL or a proxy's password.
 */
const MENDABLE = new Set([401, 403, 404, 405, 406, 407, 411, 415, 421, 426]);

/** Too early for replay; it is said of a connection, not of a request. */
const RETRIED = new Set([408, 425, 429]);

/** Size, syntax or content: said of the request, and perhaps true for one of its events only. */
const DIVISIBLE = new Set([400, 413, 422]);

/** What judging needs besides an answer. */
export interface JudgeContext {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Replaces secrets in what the receiver said. */
  readonly redact: Redact;
}

const PLAIN: JudgeContext = { now: Date.now, redact: (text) => text };

/**
 * The verdict of a status that holds for the whole request. Its reason is the status and the beginning of the body.
 *
 * 2xx is delivered, unless the answer broke off; one that is longer than what is read of it did not. 408, 425, 429 and
 * 5xx are tried again, after `Retry-After` if that is given (at most 10 minutes). 3xx and what says that the request is
 * made wrongly (401, 403, 404, 405, 407, 415, …) is blocked. 400, 413 and 422 split. Every other status rejects.
 */
export function judgeStatus(response: HttpResponse, context: JudgeContext = PLAIN): Verdict {
  const { status } = response;
  if (status >= 200 && status < 300) {
    return response.complete || response.isTooLong ? DELIVERED : unreadable(response, 'it broke off', context);
  }
  const reason = statusReason(response, context);
  if (status >= 300 && status < 400) return { kind: 'blocked', reason };
  if (MENDABLE.has(status)) return { kind: 'blocked', reason };
  if (DIVISIBLE.has(status)) return { kind: 'split', reason };
  if (status >= 400 && status < 500 && !RETRIED.has(status)) return { kind: 'rejected', reason };
  return { kind: 'retry', reason, ...retryAfter(response, context) };
}

/** A 2xx answer that does not say what became of the events: they are sent again. */
export function unreadable(response: HttpResponse, why: string, context: JudgeContext): Verdict {
  return { kind: 'retry', reason: `${statusReason(response, context)} (the answer cannot be read: ${why})` };
}

/**
 * The body as a JSON object; undefined where it is none, or not whole.
 *
 * `JSON.parse` is given nothing but what is an object: to tell the error of a text with thousands of open brackets, the V8
 * of Node 26 reads memory that it has freed, and the process dies (`test/sink/http/json-body.test.ts`). No receiver may be
 * able to do that.
 */
export function jsonBody({ complete, body }: HttpResponse): unknown {
  if (!complete || !new EventScanner([]).scan(body, 0, body.length)) return undefined;
  return JSON.parse(body.toString());
}

/** An object, not null and no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The status and the beginning of the body. */
export function statusReason(response: HttpResponse, { redact }: JudgeContext): string {
  const { status, body, headers } = response;
  const target = status >= 300 && status < 400 ? originOf(headers.location) : '';
  const said = reasonText(body, redact);
  return `HTTP ${status}${target}${said === '' ? '' : `: ${said}`}`;
}

/**
 * What `Retry-After` (RFC 9110 section 10.2.3) asks for, in ms from now; nothing where it cannot be read. A date is one of the
 * receiver's clock, which its `Date` shows: that of this host may be another.
 */
export function retryAfter({ headers }: HttpResponse, { now }: JudgeContext): { retryAfterMs?: number } {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return {};
  const date = ASCTIME.test(value) ? `${value} GMT` : value;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(date) - (Date.parse(headers.date ?? '') || now());
  return Number.isNaN(ms) ? {} : { retryAfterMs: Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) };
}

/** Of a redirection only the origin is told: paths and queries may hold secrets. */
function originOf(location: string | undefined): string {
  const url = location === undefined ? null : URL.parse(location);
  return url === null || url.origin === 'null' ? '' : ` to ${url.origin}`;
}
