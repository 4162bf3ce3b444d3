/** Keys remembered at once; when more are in use the oldest is forgotten, so that hostile names cost no memory. */
const MAX_KEYS = 1024;

/** Lets one occurrence per key and interval through, and counts the others. */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #elapsed: () => number;
  readonly #keys = new Map<string, { since: number; suppressed: number }>();

  constructor(intervalMs: number, elapsed: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs;
    this.#elapsed = elapsed;
  }

  /** The number of occurrences held back since the last one that was allowed, or undefined when this one is held back. */
  allow(key: string): number | undefined {
    const now = this.#elapsed();
    const entry = this.#keys.get(key);
    if (entry !== undefined && now - entry.since < this.#intervalMs) {
      entry.suppressed += 1;
      return undefined;
    }
    this.#keys.delete(key);
    if (this.#keys.size >= MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
    this.#keys.set(key, { since: now, suppressed: 0 });
    return entry?.suppressed ?? 0;
  }
}
