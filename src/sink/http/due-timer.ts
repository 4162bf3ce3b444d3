/** One timer for several things that are due at times that change. It does not keep the process alive. */
export class DueTimer {
  readonly #now: () => number;
  readonly #dueTimes: () => readonly (number | undefined)[];
  readonly #tick: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** @param dueTimes when something is due, in milliseconds since the epoch; undefined: it is not. */
  constructor(now: () => number, dueTimes: () => readonly (number | undefined)[], tick: () => void) {
    this.#now = now;
    this.#dueTimes = dueTimes;
    this.#tick = tick;
  }

  /** A due time has changed. */
  schedule(): void {
    clearTimeout(this.#timer);
    const due = this.#dueTimes().filter((at) => at !== undefined);
    if (this.#isStopped || due.length === 0) return;
    const run = () => {
      this.#tick();
      this.schedule();
    };
    this.#timer = setTimeout(run, Math.max(0, Math.min(...due) - this.#now())).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
