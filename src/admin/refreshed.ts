/** A fact that is looked up when somebody asks and the last answer is old. */
export class Refreshed<T> {
  readonly #look: () => Promise<T>;
  readonly #maxAgeMs: number;
  readonly #waitMs: number;
  readonly #now: () => number;
  #value: T | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  /**
   * @param look a rejection counts as unknown.
   * @param waitMs who asks waits so long at most: a file system that hangs must not make the listener hang.
   */
  constructor(look: () => Promise<T>, options: { maxAgeMs: number; waitMs: number; now?: () => number }) {
    this.#look = look;
    this.#maxAgeMs = options.maxAgeMs;
    this.#waitMs = options.waitMs;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Undefined when it is not known: the look failed, or takes too long. At most one look is under way. */
  async get(): Promise<T | undefined> {
    if (this.#now() - this.#lookedAt < this.#maxAgeMs) return this.#value;
    this.#looking ??= this.#refresh();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.#waitMs);
    });
    const outcome = await Promise.race([this.#looking, late]);
    clearTimeout(timer);
    return outcome === 'late' ? undefined : this.#value;
  }

  async #refresh(): Promise<void> {
    this.#value = await this.#look().catch(() => undefined);
    this.#lookedAt = this.#now();
    this.#looking = undefined;
  }
}
