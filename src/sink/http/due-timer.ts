import type { Clock } from './clock.ts';

/** One timer for several things that are due at times that change. It does not keep the process alive. */
export class DueTimer {
  readonly #clock: Clock;
  readonly #dueTimes: () => readonly (number | undefined)[];
  readonly #tick: () => void;
  #cancel: () => void = () => undefined;
  #isStopped = false;

  /** @param dueTimes when something is due, on the clock; undefined: it is not. */
  constructor(clock: Clock, dueTimes: () => readonly (number | undefined)[], tick: () => void) {
    this.#clock = clock;
    this.#dueTimes = dueTimes;
    this.#tick = tick;
  }

  /** A due time has changed. */
  schedule(): void {
    this.#cancel();
    const due = this.#dueTimes().filter((at) => at !== undefined);
    if (this.#isStopped || due.length === 0) return;
    this.#cancel = this.#clock.after(Math.max(0, Math.min(...due) - this.#clock.now()), () => {
      this.#tick();
      this.schedule();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }
}
