import process from 'node:process';
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import ansi from 'ansi-escapes';
import type { Row } from './row.ts';
import type { Size } from './view.ts';

/** Of terminals that do not say how large they are. */
const DEFAULT_SIZE: Size = { columns: 80, rows: 24 };

/** Signals that end the program, which leaves the terminal as it was before. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/** After this a process that asked to be stopped was not: the shell has no job control. */
const STOPPED_MS = 100;

interface Key {
  /** `q`, `escape`, `space`; undefined for keys without a name. */
  readonly name?: string;
  readonly ctrl?: boolean;
}

export interface ScreenEvents {
  /** `q`; `ctrl-c`. */
  key(name: string): void;
  /** What was drawn is not there any more, or does not fit. */
  redraw(): void;
}

/**
 * A terminal's second screen, without cursor, while somebody looks at it. The first one comes back with {@link close}, and
 * also when the program is ended by a signal or an error.
 */
export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #hasColors: boolean;
  readonly #events: ScreenEvents;
  #isOpen = false;
  /** Set from when the process asked to be stopped until it goes on. */
  #afterStop: NodeJS.Timeout | undefined;
  /** The lines that stand on the screen. */
  #lines: string[] = [];

  constructor(terminal: { input: ReadStream; output: WriteStream; hasColors: boolean }, events: ScreenEvents) {
    this.#input = terminal.input;
    this.#output = terminal.output;
    this.#hasColors = terminal.hasColors;
    this.#events = events;
  }

  get size(): Size {
    const { columns, rows } = this.#output;
    return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
  }

  open(): void {
    emitKeypressEvents(this.#input);
    this.#input.on('keypress', this.#onKey);
    this.#input.on('end', this.#onEnd);
    this.#input.on('error', this.#onEnd);
    this.#output.on('resize', this.#onResize);
    for (const signal of ENDING_SIGNALS) process.on(signal, this.#onSignal);
    process.on('SIGCONT', this.#onContinue);
    process.on('exit', this.#leave);
    // Before the error is told, so that it stands on the screen that stays.
    process.prependListener('uncaughtException', this.#leave);
    this.#enter();
  }

  /** Draws what changed. */
  draw(rows: readonly Row[]): void {
    if (!this.#isOpen) return;
    const lines = rows.map((row) => this.#painted(row));
    const changes = lines.flatMap((line, y) =>
      // Erased first: behind a full line the cursor still stands on its last character.
      line === this.#lines[y] ? [] : [ansi.cursorTo(0, y) + ansi.eraseLine + line],
    );
    const rest = lines.length < this.#lines.length ? ansi.cursorTo(0, lines.length) + ansi.eraseDown : '';
    this.#lines = lines;
    if (changes.length > 0 || rest !== '') this.#output.write(ansi.synchronizedOutput(changes.join('') + rest));
  }

  /** Brings the first screen back. May be repeated. */
  close(): void {
    clearTimeout(this.#afterStop);
    this.#leave();
    this.#input.off('keypress', this.#onKey);
    this.#input.off('end', this.#onEnd);
    this.#input.off('error', this.#onEnd);
    this.#output.off('resize', this.#onResize);
    for (const signal of ENDING_SIGNALS) process.off(signal, this.#onSignal);
    process.off('SIGCONT', this.#onContinue);
    process.off('exit', this.#leave);
    process.off('uncaughtException', this.#leave);
  }

  #enter(): void {
    this.#isOpen = true;
    this.#lines = [];
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(ansi.enterAlternativeScreen + ansi.cursorHide + ansi.clearViewport);
    this.#events.redraw();
  }

  readonly #leave = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#input.pause();
    this.#input.setRawMode(false);
    this.#output.write(ansi.cursorShow + ansi.exitAlternativeScreen);
  };

  readonly #onKey = (_: string | undefined, { name, ctrl }: Key): void => {
    if (ctrl === true && name === 'z') this.#suspend();
    else if (name !== undefined) this.#events.key(ctrl === true ? `ctrl-${name}` : name);
  };

  /** Nobody is there to press a key. */
  readonly #onEnd = (): void => this.#events.key('q');

  readonly #onResize = (): void => {
    if (!this.#isOpen) return;
    this.#lines = [];
    this.#output.write(ansi.clearViewport);
    this.#events.redraw();
  };

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.close();
    // It dies by the signal, so that whoever waits for it knows.
    process.kill(process.pid, signal);
  };

  #suspend(): void {
    this.#leave();
    this.#afterStop = setTimeout(() => this.#enter(), STOPPED_MS);
    process.kill(process.pid, 'SIGTSTP');
  }

  /** The shell may have changed the terminal, and written on it. */
  readonly #onContinue = (): void => {
    const hasLeft = this.#afterStop !== undefined;
    clearTimeout(this.#afterStop);
    this.#afterStop = undefined;
    // The time was over first, when the process went on.
    if (hasLeft && this.#isOpen) return;
    // Node would not set a mode that it takes to be set. In between, a key that is pressed would wait for the next one.
    if (!hasLeft) this.#input.setRawMode(false);
    this.#enter();
  };

  #painted(row: Row): string {
    return row
      .map(({ text, style }) =>
        this.#hasColors && style !== undefined ? styleText(style, text, { validateStream: false }) : text,
      )
      .join('');
  }
}
