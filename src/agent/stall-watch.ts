/** Tells whether something has stood still for so long that nobody should wait for it. */
export class StallWatch {
  readonly #measure: () => number;
  readonly #limitMs: number;
  readonly #now: () => number;
  #last: { value: number; at: number } | undefined;

  /** @param measure changes as long as there is progress. */
  constructor(measure: () => number, limitMs: number, now: () => number) {
    this.#measure = measure;
    this.#limitMs = limitMs;
    this.#now = now;
  }

  /** Asked again and again; the first time starts the clock. */
  isStalled(): boolean {
    const value = this.#measure();
    if (this.#last?.value !== value) this.#last = { value, at: this.#now() };
    return this.#now() - this.#last.at >= this.#limitMs;
  }
}
