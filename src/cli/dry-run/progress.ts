import cliProgress from 'cli-progress';
import { formatBytes } from '../format/quantity.ts';
import type { Terminal } from '../terminal.ts';

const BAR_WIDTH = 30;

/** A progress bar on stderr, when a terminal shows that; else nothing. It leaves no trace when it is stopped. */
export class Progress {
  readonly #bar: cliProgress.SingleBar | undefined;
  readonly #startedAt = performance.now();
  readonly #total: number | undefined;
  #bytes = 0;

  /** @param total bytes that there are to be read, undefined when nobody knows */
  constructor({ stderr, env }: Terminal, total: number | undefined) {
    this.#total = total;
    if (stderr.isTTY !== true || env.TERM === 'dumb') return;
    this.#bar = new cliProgress.SingleBar({
      stream: stderr as NodeJS.WriteStream,
      format: total === undefined ? '{read}, {rate}/s' : '{bar} {percentage}%  {read} of {size}, {rate}/s',
      barsize: BAR_WIDTH,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      clearOnComplete: true,
      // The line is cut to the terminal's width, instead of switching off wrapping for whatever comes after a crash.
      linewrap: true,
      emptyOnZero: true,
    });
    this.#bar.start(total ?? 0, 0, this.#payload());
  }

  /** Counts bytes that were read; the bar draws itself a few times a second. */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#bar?.update(this.#bytes, this.#payload());
  }

  /** Clears the bar. May be repeated. */
  stop(): void {
    this.#bar?.stop();
  }

  #payload(): Record<string, string> {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return {
      read: formatBytes(this.#bytes),
      size: formatBytes(this.#total ?? 0),
      rate: formatBytes(seconds > 0 ? this.#bytes / seconds : 0),
    };
  }
}
