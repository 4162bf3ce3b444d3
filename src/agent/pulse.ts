export type Phase = 'starting' | 'running' | 'reloading' | 'stopping';

/** What can be seen of an agent's loop from outside: in which phase it is, and whether it still turns. */
export class Pulse {
  phase: Phase = 'starting';
  /** Whether the file system was looked at once. */
  hasSwept = false;
  /** Failed writes in a row: the agent is going back to its last commit, again and again. */
  failures = 0;
  readonly #elapsed: () => number;
  #dueAt: number;
  #waiting: (() => void)[] = [];

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
    this.#dueAt = elapsed();
  }

  /** The loop turns, and does so again within `ms`. */
  beat(ms = 0): void {
    this.#dueAt = this.#elapsed() + ms;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves with the next beat. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Milliseconds by which the loop is late; it is a little late whenever it has work. */
  get lateMs(): number {
    return Math.max(0, this.#elapsed() - this.#dueAt);
  }
}
