import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import split2 from 'split2';
import { endWithParent } from '../test/helpers/children.ts';
import type { ApiserverLogOptions } from './apiserver-log.ts';

const PROGRAM = fileURLToPath(new URL('./writer.ts', import.meta.url));

export interface WriterOptions extends ApiserverLogOptions {
  /** File of hashes of the lines written, 16 bytes each. */
  readonly ledger: string;
  /** File of the times at which they were written, epoch milliseconds, 8 bytes each (double, little-endian). Default: none. */
  readonly times?: string;
  readonly events: number;
  readonly seed: number;
  /** Time that the events span, milliseconds. */
  readonly spanMs: number;
  readonly bytesPerSecond: number;
}

export interface WriterProgress {
  readonly events: number;
  readonly bytes: number;
  readonly rotations: number;
  readonly pruned: number;
  readonly done: boolean;
}

/** The writer as seen from the demo. It is killed when this process ends. */
export class WriterProcess {
  progress: WriterProgress = { events: 0, bytes: 0, rotations: 0, pruned: 0, done: false };
  /** Resolves when everything was written; rejects when the writer ends before. */
  readonly done: Promise<void>;
  readonly #child: ChildProcess;
  #waiting: { readonly events: number; readonly resolve: () => void }[] = [];

  constructor(options: WriterOptions) {
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'pipe'] });
    endWithParent(this.#child);
    let errors = '';
    this.#child.stderr?.on('data', (text) => {
      errors = `${errors}${text}`.slice(-4000);
    });
    this.#child.stdout?.pipe(split2()).on('data', (line: string) => this.#told(JSON.parse(line) as WriterProgress));
    this.done = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        if (code === 0 && this.progress.done) resolve();
        else reject(new Error(`the writer ended early (${signal ?? code}): ${errors.trim() || 'no message'}`));
      });
    });
    this.done.catch(() => {});
  }

  /** Waits until so many events are written. @throws Error when the writer ends before. */
  async reached(events: number): Promise<void> {
    if (this.progress.events >= events) return;
    const reached = new Promise<void>((resolve) => this.#waiting.push({ events, resolve }));
    await Promise.race([reached, this.done]);
  }

  #told(progress: WriterProgress): void {
    this.progress = progress;
    for (const { resolve } of this.#waiting.filter(({ events }) => events <= progress.events)) resolve();
    this.#waiting = this.#waiting.filter(({ events }) => events > progress.events);
  }
}
