/** Longest time that a receiver's `Retry-After` is believed; a larger one is more likely a mistake than a wish. */
export const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** Share of the longest pause below which a blocked sink never tries again: the receiver waits for somebody, not for us. */
const BLOCKED_SHARE = 0.5;

/**
 * How long to wait before the next request. Pure: time is the caller's, and so is chance.
 *
 * Pauses are drawn evenly between `minMs` and a bound that doubles from `2 * minMs` to `maxMs` (full jitter above a
 * floor, so that agents that failed together do not come back together). Only progress sets the bound back.
 */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #boundMs: number;

  /** @param random gives a number from 0 up to, but not including, 1. */
  constructor(limits: { readonly minMs: number; readonly maxMs: number }, random: () => number) {
    this.#minMs = Math.min(limits.minMs, limits.maxMs);
    this.#maxMs = limits.maxMs;
    this.#random = random;
    this.#boundMs = this.#minMs;
  }

  /** Milliseconds after a failure; never less than `retryAfterMs`, as far as that is believed. */
  failed(retryAfterMs?: number): number {
    this.#boundMs = Math.min(this.#boundMs * 2, this.#maxMs);
    const pause = this.#between(this.#minMs, this.#boundMs);
    if (retryAfterMs === undefined || !(retryAfterMs > pause)) return pause;
    // All agents were told the same: each adds a little of its own.
    return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + this.#between(0, this.#minMs);
  }

  /** Milliseconds after an answer that only a person can change. It leaves the bound where it is. */
  blocked(): number {
    return this.#between(this.#maxMs * BLOCKED_SHARE, this.#maxMs);
  }

  /** Something was taken: the next failure is a first one again. */
  progressed(): void {
    this.#boundMs = this.#minMs;
  }

  #between(low: number, high: number): number {
    return low + this.#random() * (high - low);
  }
}
