import { setTimeout as sleep } from 'node:timers/promises';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { type Look, takeLook } from './look.ts';
import { Rates } from './rates.ts';
import { render } from './render.ts';
import type { Screen } from './screen.ts';
import type { Sort, View } from './view.ts';

/** How often the screen tells how old what it shows is. */
const TICK_MS = 1_000;

/** An answer that takes this much longer than looks are apart is told to be late. */
const LATE_MS = 1_000;

const LEAVING_KEYS: ReadonlySet<string> = new Set(['q', 'escape', 'ctrl-c', 'ctrl-d']);
const PAUSING_KEYS: ReadonlySet<string> = new Set(['p', 'space']);

/** Looks at an agent again and again, and draws each look, until a key ends it. */
export class Live {
  readonly #address: ListenAddress;
  readonly #intervalMs: number;
  readonly #rates = new Rates();
  readonly #left = new AbortController();
  #wake = new AbortController();
  #look: Look | undefined;
  #failure: Error | undefined;
  #isPaused = false;
  #sort: Sort = 'attention';

  constructor(address: ListenAddress, intervalMs: number) {
    this.#address = address;
    this.#intervalMs = intervalMs;
  }

  key(name: string): void {
    if (LEAVING_KEYS.has(name)) {
      this.#left.abort();
    } else if (PAUSING_KEYS.has(name)) {
      this.#isPaused = !this.#isPaused;
    } else if (name === 's') {
      this.#sort = this.#sort === 'attention' ? 'name' : 'attention';
      return;
    } else {
      return;
    }
    this.#wake.abort();
  }

  /** Draws until a key ends it. */
  async run(screen: Screen): Promise<void> {
    const ticks = setInterval(() => this.draw(screen), TICK_MS);
    try {
      while (!this.#left.signal.aborted) {
        this.#wake = new AbortController();
        if (!this.#isPaused) await this.#takeLook();
        this.draw(screen);
        await this.#pause();
      }
    } finally {
      clearInterval(ticks);
      this.#left.abort();
    }
  }

  draw(screen: Screen): void {
    screen.draw(render(this.#view(), screen.size));
  }

  async #takeLook(): Promise<void> {
    try {
      const look = await takeLook(this.#address, this.#left.signal);
      this.#rates.add(look);
      this.#look = look;
      this.#failure = undefined;
    } catch (error) {
      if (!this.#left.signal.aborted) this.#failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  async #pause(): Promise<void> {
    const signal = AbortSignal.any([this.#wake.signal, this.#left.signal]);
    // While it is paused only a key ends the wait.
    const wait = this.#isPaused ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : undefined;
    await (signal.aborted
      ? undefined
      : (wait ?? sleep(this.#intervalMs, undefined, { signal }).catch(() => undefined)));
  }

  #view(): View {
    const ageMs = this.#look === undefined ? undefined : performance.now() - this.#look.at;
    return {
      place: formatListenAddress(this.#address),
      look: this.#look,
      rates: this.#failure === undefined ? this.#rates : { perSecond: () => undefined },
      failure: this.#failure,
      secondsOld: ageMs === undefined ? undefined : ageMs / 1000,
      isWaiting: ageMs !== undefined && ageMs > this.#intervalMs + LATE_MS,
      isPaused: this.#isPaused,
      intervalMs: this.#intervalMs,
      sort: this.#sort,
    };
  }
}
