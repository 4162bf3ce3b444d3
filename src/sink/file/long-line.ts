import type { ArchiveRun } from './archive-run.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { OutputFile } from './output-file.ts';

/**
 * A line that is longer than memory, on its way into a file piece by piece. A commit in between leaves out all of it.
 * After a rewind it takes pieces without keeping them, since the line is read again from its start.
 */
export class LongLine {
  readonly #run: ArchiveRun;
  readonly #file: OutputFile | undefined;
  readonly #timeMs: number;
  readonly #budget: ByteBudget;

  constructor(run: ArchiveRun, file: OutputFile | undefined, timeMs: number, budget: ByteBudget) {
    this.#run = run;
    this.#file = file;
    this.#timeMs = timeMs;
    this.#budget = budget;
  }

  /** Copies a piece. Where a promise comes back, wait for it before the next one: memory is used up. */
  write(buf: Buffer, start: number, end: number): void | Promise<void> {
    if (this.#run.ended || this.#file === undefined) return;
    this.#file.appendPiece(buf, start, end);
    if (this.#budget.used >= this.#budget.limit) return this.#budget.whenBelow();
  }

  /** The line is complete; a newline is added. */
  end(): void {
    if (!this.#run.ended) this.#file?.endLongLine(this.#timeMs);
  }
}
