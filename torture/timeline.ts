/** Longer between two looks, and the agent was not watched in between. */
const MAX_PAUSE_MS = 1500;

/** For how long the agent, in which of its lives, was seen at its work. */
export class Timeline {
  /** Moments, and the milliseconds at work until then. */
  readonly #moments: { readonly life: number; readonly atMs: number; readonly sumMs: number }[] = [];

  /** The agent was found at its work. */
  awake(life: number, atMs: number): void {
    const last = this.#moments.at(-1);
    const passed = last === undefined ? 0 : atMs - last.atMs;
    const added = last?.life === life && passed <= MAX_PAUSE_MS ? passed : 0;
    this.#moments.push({ life, atMs, sumMs: (last?.sumMs ?? 0) + added });
  }

  /** Milliseconds at work in a time. */
  awakeMs(fromMs: number, toMs: number): number {
    return this.#sumAt(toMs) - this.#sumAt(fromMs);
  }

  /** Milliseconds at work from a moment to the end of the life. */
  awakeInLifeAfter(life: number, fromMs: number): number {
    const last = this.#moments.findLast((moment) => moment.life === life);
    return last === undefined ? 0 : Math.max(0, this.awakeMs(fromMs, last.atMs));
  }

  #sumAt(ms: number): number {
    return this.#moments.findLast(({ atMs }) => atMs <= ms)?.sumMs ?? 0;
  }
}
