import { setTimeout as delay } from 'node:timers/promises';
import { AuditailError } from '../../errors.ts';
import { rewoundError } from './archive-error.ts';

/**
 * Lets at most `width` pieces of work run at once, until it is shut: the urgent ones first, and both kinds in the order in
 * which they came.
 */
export class Gate {
  readonly #width: number;
  #running = 0;
  readonly #urgent = new Set<(enter: boolean) => void>();
  readonly #waiting = new Set<(enter: boolean) => void>();
  #shut = false;
  #empty: (() => void) | undefined;

  constructor(width: number) {
    this.#width = width;
  }

  /** Rejects with `ARCHIVE_REWOUND` once the gate is shut. */
  async run<T>(work: () => Promise<T>, { urgent = false } = {}): Promise<T> {
    if (!(await this.#enter(urgent ? this.#urgent : this.#waiting))) throw rewoundError();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Turns away what waits, and resolves when nothing runs any more; rejects with `ARCHIVE_STUCK` after `timeoutMs`. */
  async shut(timeoutMs: number): Promise<void> {
    this.#shut = true;
    for (const line of [this.#urgent, this.#waiting]) {
      for (const enter of line) enter(false);
      line.clear();
    }
    if (this.#running === 0) return;
    const empty = new Promise<boolean>((resolve) => {
      this.#empty = () => resolve(true);
    });
    const timeout = new AbortController();
    const late = delay(timeoutMs, false, { signal: timeout.signal, ref: false }).catch(() => true);
    const done = await Promise.race([empty, late]);
    timeout.abort();
    if (done) return;
    throw new AuditailError('ARCHIVE_STUCK', `${this.#running} writes to the archive do not end`, {
      hint: 'The file system that holds the archive does not answer',
    });
  }

  async #enter(line: Set<(enter: boolean) => void>): Promise<boolean> {
    if (this.#shut) return false;
    if (this.#running >= this.#width) return new Promise((resolve) => line.add(resolve));
    this.#running += 1;
    return true;
  }

  /** The place goes to the next in line at once, so that nobody slips in between. */
  #leave(): void {
    const line = this.#urgent.size > 0 ? this.#urgent : this.#waiting;
    for (const enter of line) {
      line.delete(enter);
      enter(true);
      return;
    }
    this.#running -= 1;
    if (this.#running === 0) this.#empty?.();
  }
}
