import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a loaded machine: a passing test never waits for it. */
const DEADLINE_MS = 30_000;
const POLL_MS = 50;

/** Why tests with a terminal are skipped; false when they are not. */
export const noTmux =
  spawnSync('tmux', ['-V']).status === 0 ? false : 'tmux is not installed, which draws the terminal';

/** A terminal in which a shell runs, with `$ ` as its prompt. */
export class TmuxTerminal implements Disposable {
  readonly #socket = `auditail-test-${process.pid}-${Math.random().toString(36).slice(2)}`;

  constructor({ columns = 100, rows = 60 }: { columns?: number; rows?: number } = {}) {
    this.#tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, 'env PS1="$ " bash --norc --noprofile');
  }

  /** Types a line and ends it. */
  type(line: string): void {
    this.#tmux('send-keys', '-l', line);
    this.press('Enter');
  }

  /** A key as tmux names it: `q`, `C-c`, `Escape`. */
  press(key: string): void {
    this.#tmux('send-keys', key);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** What stands on the screen. */
  text(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** The same with the escape sequences of its colours. */
  coloredText(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** What tmux knows of the pane, such as `cursor_flag` or `alternate_on`. */
  variable(name: string): string {
    return this.#tmux('display-message', '-p', `#{${name}}`).trim();
  }

  /** Waits until the screen shows it, and gives the screen. */
  async until(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const text = this.text();
      if (pattern.test(text)) return text;
      assert.ok(Date.now() < deadline, `the screen never showed ${pattern}:\n${text}`);
      await sleep(POLL_MS);
    }
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
  }
}
