import { freeNow } from './moved-memory.ts';
import type { OutputFile } from './output-file.ts';

/** How far back a deflate block can refer. Zstandard could go further, and on audit events gains 4 % by twice as much. */
const WINDOW_BYTES = 32 * 1024;

/** Over all files; 256 files with a full window. Beyond it the files used longest ago compress without one. */
const MAX_BYTES = 8 * 1024 * 1024;

/** As many as blocks are compressed in turn; the rest would only hold memory. */
const MAX_SPARE = 32;

/** The last content of each file's current member, with which its next block is compressed. */
export class Dictionaries {
  readonly #maxBytes: number;
  /** In the order of use, oldest first. */
  readonly #windows = new Map<OutputFile, Buffer>();
  #bytes = 0;
  /** Full windows that nothing is compressed with any more. */
  readonly #spare: Buffer[] = [];

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get(file: OutputFile): Buffer | undefined {
    return this.#windows.get(file);
  }

  /** Moves the window over `content`, which follows in the member. Buffers that were handed out stay as they are. */
  advance(file: OutputFile, content: Buffer): void {
    const before = this.#windows.get(file);
    this.forget(file);
    const kept = before === undefined ? 0 : Math.max(0, Math.min(before.length, WINDOW_BYTES - content.length));
    const added = Math.min(content.length, WINDOW_BYTES);
    const isFull = kept + added === WINDOW_BYTES;
    const window = (isFull ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(kept + added);
    if (kept > 0) before!.copy(window, 0, before!.length - kept);
    content.copy(window, kept, content.length - added);
    this.#windows.set(file, window);
    this.#bytes += window.length;
    for (const oldest of this.#windows.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.forget(oldest);
    }
  }

  /** A block that was compressed with this window is done: it was the last to need it. */
  release(window: Buffer): void {
    if (window.length === WINDOW_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(window);
    else freeNow(window);
  }

  forget(file: OutputFile): void {
    const window = this.#windows.get(file);
    if (window === undefined) return;
    this.#windows.delete(file);
    this.#bytes -= window.length;
  }
}
