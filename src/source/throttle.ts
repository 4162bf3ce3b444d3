/**
 * Calls at once, and from then on at most once each `intervalMs`: what is asked for meanwhile is done once, at the end
 * of the interval, so that the last one asked for is never left out.
 */
export class Throttle {
  readonly #call: () => void;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #asked = false;

  constructor(call: () => void, intervalMs: number) {
    this.#call = call;
    this.#intervalMs = intervalMs;
  }

  /** Whether one more call comes at the end of the interval. */
  get isAsked(): boolean {
    return this.#asked;
  }

  ask(): void {
    if (this.#timer === undefined) this.#begin();
    else this.#asked = true;
  }

  /** Forgets what was asked for. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#asked = false;
  }

  #begin(): void {
    this.#asked = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#asked) this.#begin();
    }, this.#intervalMs).unref();
    this.#call();
  }
}
