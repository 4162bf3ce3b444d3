import { type InspectColor, styleText } from 'node:util';

/** Without a terminal a line is printed this often; on a terminal it is redrawn. */
const PLAIN_INTERVAL_MS = 5000;
const LIVE_INTERVAL_MS = 100;

const BAR_CELLS = 24;

/** Prints what happens: lasting lines, and below them, on a terminal, one or a few that are redrawn. */
export class Screen {
  readonly isTTY: boolean;
  readonly #out: NodeJS.WriteStream;
  #lastLive = performance.now();
  #live = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.isTTY = out.isTTY === true;
  }

  style(format: InspectColor | InspectColor[], text: string): string {
    return this.isTTY ? styleText(format, text, { stream: this.#out }) : text;
  }

  /** A line that stays. */
  print(text = ''): void {
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** The state of things now, in one or more lines. May be called often: it is shown only now and then. */
  live(text: () => string): void {
    const now = performance.now();
    if (now - this.#lastLive < (this.isTTY ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
    this.#lastLive = now;
    this.#clear();
    this.#live = text();
    if (this.isTTY) this.#draw();
    else this.#out.write(`${this.#live}\n`);
  }

  /** Takes the state of things away. */
  endLive(): void {
    this.#clear();
    this.#live = '';
  }

  /** A progress bar and a space; nothing without a terminal. */
  bar(share: number): string {
    if (!this.isTTY) return '';
    const full = Math.round(Math.min(1, share) * BAR_CELLS);
    return `${this.style('cyan', '█'.repeat(full))}${this.style('gray', '░'.repeat(BAR_CELLS - full))} `;
  }

  #clear(): void {
    if (!this.isTTY || this.#live === '') return;
    const above = this.#live.split('\n').length - 1;
    this.#out.write(`\r\x1b[K${'\x1b[A\x1b[K'.repeat(above)}`);
  }

  #draw(): void {
    // Without wrapping (?7l): of a line that is wider than the terminal, and takes several rows, only one could be cleared.
    if (this.isTTY && this.#live !== '') this.#out.write(`\x1b[?7l${this.#live}\x1b[?7h`);
  }
}

const integers = new Intl.NumberFormat('en-US');

export function count(n: number): string {
  return integers.format(n);
}

/** In powers of 1000. */
export function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
