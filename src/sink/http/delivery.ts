import type { HttpSinkConfig } from '../../config/types.ts';
import { describeError } from '../../errors.ts';
import { statusReasonLabel } from '../../telemetry/error-reason.ts';
import type { HttpOccurrences } from '../../telemetry/http-occurrences.ts';
import { Backoff, MAX_RETRY_AFTER_MS } from './backoff.ts';
import type { Batch } from './batch.ts';
import type { DeadLetter, DeadLetterBox } from './dead-letter.ts';
import type { Format } from './format.ts';
import type { HttpEvent } from './http-event.ts';
import { type Transport, TransportError } from './transport.ts';
import type { Verdict } from './verdict.ts';

export interface DeliveryDeps {
  readonly sink: HttpSinkConfig;
  readonly format: Format;
  readonly transport: Transport;
  readonly deadLetters: DeadLetterBox;
  readonly occurrences: HttpOccurrences;
  /** Milliseconds on any clock. */
  readonly now: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Resolves after that many milliseconds; rejects, with anything, as soon as the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

type Events = readonly HttpEvent[];

/**
 * Connections lost in a row over one request before it is sent in halves. A receiver that finds a request too large may
 * end the connection while it is still sent, so that its 413 never arrives.
 */
const BROKEN_BEFORE_HALVES = 3;

/** What became of a request. */
interface Sent {
  readonly verdicts: readonly Verdict[];
  /** The connection was lost meanwhile. */
  readonly isBroken: boolean;
  /** The answer's status, or what there was instead of one: the `reason` of metrics. */
  readonly label: string;
}

/** The events of one request, by what became of them; each list in the order that they had. */
interface Outcome {
  readonly delivered: readonly HttpEvent[];
  readonly letters: readonly DeadLetter[];
  /** To be sent in halves. */
  readonly split: readonly HttpEvent[];
  readonly splitReason: string;
  /** To be sent once more after a pause. */
  readonly again: readonly HttpEvent[];
  /** The weightiest reason for that. */
  readonly complaint: Complaint | undefined;
}

type Complaint = Extract<Verdict, { kind: 'retry' | 'blocked' }>;

/**
 * Brings batches to a receiver, however long that takes. Only here does a sink sleep, retry or drop.
 *
 * Several batches may be delivered at once. Each has a back-off of its own, but where the receiver asks for a pause, or
 * is blocked, all wait.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  /** On the clock of `now`: the receiver asked for time until then, or has to be given it. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /**
   * Sends until `batch.pending` is empty, and replaces it after each answer. Rejects with the signal's reason only;
   * `pending` then holds the rest, in the order that the events had.
   */
  async deliver(batch: Batch, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.#deps.sink.retry, this.#deps.random);
    // Together they are what is pending, so that halves take no memory beyond it.
    const parts: Events[] = batch.pending.length > 0 ? [batch.pending] : [];
    let broken = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      await this.#sleep(this.#heldMs(), signal);
      const { verdicts, isBroken, label } = await this.#send(part, signal);
      const outcome = sortOut(part, verdicts);
      const stuck = this.#putAside(outcome.letters, label);
      this.#takeOut(batch, outcome, stuck, backoff);
      broken = isBroken ? broken + 1 : 0;
      const { again, complaint } = outcome;
      const inHalves = broken >= BROKEN_BEFORE_HALVES && again.length > 1;
      if (inHalves) {
        this.#deps.occurrences.split(complaint?.reason ?? '', again.length);
        broken = 0;
      }
      parts.unshift(...(inHalves ? halves(again) : sendable(again)), ...halves(outcome.split));
      // Behind the others, because they may never be kept.
      parts.push(...sendable(stuck));
      await this.#sleep(this.#pauseMs(outcome, label, stuck, backoff), signal);
    }
  }

  /** One request. That no answer came is a verdict too. */
  async #send(events: Events, signal: AbortSignal): Promise<Sent> {
    const { format, transport, occurrences, now } = this.#deps;
    const startedAt = now();
    try {
      const response = await transport.send(format.encode(events), signal);
      const verdicts = format.judge(response, events);
      const delivered = events.filter((_event, i) => verdicts[i]?.kind === 'delivered');
      if (delivered.length > 0) occurrences.delivered(delivered.length, bytesOf(delivered), (now() - startedAt) / 1000);
      return { verdicts, isBroken: false, label: statusReasonLabel(response.status) };
    } catch (error) {
      signal.throwIfAborted();
      const kind = error instanceof TransportError ? error.kind : undefined;
      const verdict: Verdict = { kind: kind === 'untrusted' ? 'blocked' : 'retry', reason: describeError(error) };
      return { verdicts: events.map(() => verdict), isBroken: kind === 'broken', label: kind ?? 'no_answer' };
    }
  }

  /** Keeps dead letters for good. Where that fails their events are given back, to stay pending. */
  #putAside(letters: readonly DeadLetter[], label: string): Events {
    if (letters.length === 0) return [];
    const { deadLetters, occurrences } = this.#deps;
    try {
      deadLetters.add(letters);
    } catch (error) {
      occurrences.deadLettersStuck(error);
      return letters.map((letter) => letter.event);
    }
    const byReason = Map.groupBy(letters, (letter) => letter.reason);
    for (const [reason, { length }] of byReason) occurrences.deadLettered(length, { reason, label });
    return [];
  }

  #takeOut(batch: Batch, { delivered, letters }: Outcome, stuck: Events, backoff: Backoff): void {
    const done = new Set(delivered);
    if (stuck.length === 0) for (const { event } of letters) done.add(event);
    if (done.size === 0) return;
    batch.pending = batch.pending.filter((event) => !done.has(event));
    backoff.progressed();
  }

  /** How long this batch waits before its next request; tells why. */
  #pauseMs(outcome: Outcome, label: string, stuck: Events, backoff: Backoff): number {
    const { again, complaint, split, splitReason } = outcome;
    const { occurrences } = this.#deps;
    if (split.length > 0) occurrences.split(splitReason, split.length);
    if (complaint?.kind === 'blocked') {
      const pauseMs = backoff.blocked();
      occurrences.blocked({ reason: complaint.reason, label }, again.length, pauseMs);
      this.#holdAll(pauseMs);
      return pauseMs;
    }
    if (complaint?.kind === 'retry') {
      const pauseMs = backoff.failed(complaint.retryAfterMs);
      occurrences.retrying({ reason: complaint.reason, label }, again.length, pauseMs);
      if (complaint.retryAfterMs !== undefined) this.#holdAll(pauseMs);
      return pauseMs;
    }
    return stuck.length > 0 ? backoff.blocked() : 0;
  }

  #holdAll(pauseMs: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#deps.now() + pauseMs);
  }

  /** What is left of a pause for all; never longer than one can be, even where the clock was set back. */
  #heldMs(): number {
    const { sink, now } = this.#deps;
    return Math.min(this.#notBefore - now(), Math.max(MAX_RETRY_AFTER_MS, sink.retry.maxMs));
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (ms <= 0) return;
    try {
      await this.#deps.sleep(ms, signal);
    } finally {
      signal.throwIfAborted();
    }
  }
}

function sortOut(events: Events, verdicts: readonly Verdict[]): Outcome {
  const delivered: HttpEvent[] = [];
  const letters: DeadLetter[] = [];
  const split: HttpEvent[] = [];
  const again: HttpEvent[] = [];
  let splitReason = '';
  let complaint: Complaint | undefined;
  events.forEach((event, i) => {
    const verdict = verdicts[i] ?? { kind: 'retry', reason: 'the answer says nothing about this event' };
    const { kind } = verdict;
    if (kind === 'delivered') {
      delivered.push(event);
    } else if (kind === 'rejected' || (kind === 'split' && events.length === 1)) {
      letters.push({ event, reason: verdict.reason });
    } else if (kind === 'split') {
      split.push(event);
      splitReason = verdict.reason;
    } else {
      again.push(event);
      complaint = weightier(complaint, verdict);
    }
  });
  return { delivered, letters, split, splitReason, again, complaint };
}

/** `blocked` before `retry`, and the longer pause before the shorter. */
function weightier(one: Complaint | undefined, other: Complaint): Complaint {
  if (one === undefined) return other;
  if (one.kind !== other.kind) return one.kind === 'blocked' ? one : other;
  return retryAfter(other) > retryAfter(one) ? other : one;
}

function retryAfter(complaint: Complaint): number {
  return complaint.kind === 'retry' ? (complaint.retryAfterMs ?? 0) : 0;
}

/** One event alone that was refused along with others is sent by itself, to be judged by itself. */
function halves(events: Events): Events[] {
  const middle = Math.ceil(events.length / 2);
  return [...sendable(events.slice(0, middle)), ...sendable(events.slice(middle))];
}

/** As a list of requests: none for no events. */
function sendable(events: Events): Events[] {
  return events.length > 0 ? [events] : [];
}

function bytesOf(events: Events): number {
  return events.reduce((sum, { line }) => sum + line.length, 0);
}
