type Work = () => Promise<Buffer>;

interface Waiting {
  readonly work: Work;
  readonly wanted: () => boolean;
  readonly resolve: (block: Buffer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Compresses on libuv's threads, at most `threads` blocks at once, first come first served.
 *
 * libuv has four threads unless `UV_THREADPOOL_SIZE` says otherwise, and file calls need some of them.
 */
export class CompressionPool {
  readonly #threads: number;
  #running = 0;
  #waiting: (Waiting | undefined)[] = [];
  #next = 0;

  constructor(threads: number) {
    this.#threads = Math.max(1, threads);
  }

  /**
   * Gives what `work` gives, or undefined when it was no longer wanted. `wanted` is looked at before the work starts:
   * what a rewind gave up is not compressed any more.
   */
  run(work: Work, wanted: () => boolean): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, wanted, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    while (this.#running < this.#threads && this.#next < this.#waiting.length) {
      const waiting = this.#waiting[this.#next]!;
      // It holds the content of a block: not one moment longer than that is needed, or memory has no limit.
      this.#waiting[this.#next++] = undefined;
      if (waiting.wanted()) void this.#run(waiting);
      else waiting.resolve(undefined);
    }
    // The queue is cut in large steps: shifting each job off a long array is quadratic.
    if (this.#next === this.#waiting.length || this.#next > 1024) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }

  async #run({ work, resolve, reject }: Waiting): Promise<void> {
    this.#running += 1;
    try {
      resolve(await work());
    } catch (error) {
      reject(error);
    } finally {
      this.#running -= 1;
      this.#start();
    }
  }
}
