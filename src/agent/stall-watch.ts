/** Tells whether something has stood still for so long that nobody should wait for it. */
export class StallWatch {
  readonly #measure: () => number;
  readonly #limitMs: number;
  readonly #elapsed: () => number;
  #last: { value: number; at: number } | undefined;

  /** @param measure changes as long as there is progress. */
  constructor(measure: () => number, limitMs: number, elapsed: () => number) {
    this.#measure = measure;
    this.#limitMs = limitMs;
    this.#elapsed = elapsed;
  }

  /** Asked again and again; the first time starts the clock. */
  isStalled(): boolean {
    const value = this.#measure();
    if (this.#last?.value !== value) this.#last = { value, at: this.#elapsed() };
    return this.#elapsed() - this.#last.at >= this.#limitMs;
  }
}
