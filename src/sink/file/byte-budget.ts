/**
 * Counts the bytes of events in memory, over all sinks (`memory_limit`). Taking never fails, because a chunk that was
 * read has to go somewhere; readers wait between chunks with {@link ByteBudget.whenBelow}.
 */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  #waiting: (() => void)[] = [];
  readonly #reliefs = new Set<() => void>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Where nothing is held, nobody would ever give anything back: without an archive the limit may be 0. */
  get #hasRoom(): boolean {
    return this.#used === 0 || this.#used < this.limit;
  }

  take(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    if (!this.#hasRoom || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /**
   * Resolves when less than the limit is used. Holders of bytes that are not yet on their way out are asked to send
   * them first; else the reader and the buffers that only more input would flush could wait for each other.
   */
  whenBelow(): Promise<void> {
    if (this.#hasRoom) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      for (const relief of this.#reliefs) relief();
    });
  }

  /** `relief` is called when a reader begins to wait; it should start giving bytes back. Returns how to undo this. */
  onPressure(relief: () => void): () => void {
    this.#reliefs.add(relief);
    return () => this.#reliefs.delete(relief);
  }
}
