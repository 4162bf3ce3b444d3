import zlib from 'node:zlib';

export interface CompressionJob {
  readonly content: Buffer;
  /** The content before it in the same member, at most 32 KiB; without it the block is legal too, only larger. */
  readonly dictionary: Buffer | undefined;
  readonly level: number;
  /** Looked at before the job starts: what a rewind gave up is not compressed any more. */
  readonly wanted: () => boolean;
}

/** Audit events shrink by 7 to 9 times. Output that is larger than expected costs another trip to a thread. */
const EXPECTED_RATIO = 5;
const MIN_CHUNK_BYTES = 1024;

interface Waiting {
  readonly job: CompressionJob;
  readonly resolve: (block: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Compresses on libuv's threads, at most `threads` blocks at once, first come first served.
 *
 * libuv has four threads unless `UV_THREADPOOL_SIZE` says otherwise, and file calls need some of them.
 */
export class CompressionPool {
  readonly #threads: number;
  #running = 0;
  #waiting: Waiting[] = [];
  #next = 0;

  constructor(threads: number) {
    this.#threads = Math.max(1, threads);
  }

  /** Gives a raw deflate block that ends on a sync flush, or undefined when the job was no longer wanted. */
  compress(job: CompressionJob): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    while (this.#running < this.#threads && this.#next < this.#waiting.length) {
      const waiting = this.#waiting[this.#next++]!;
      if (waiting.job.wanted()) this.#run(waiting);
      else waiting.resolve(undefined);
    }
    // The queue is cut in large steps: shifting each job off a long array is quadratic.
    if (this.#next === this.#waiting.length || this.#next > 1024) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }

  #run({ job, resolve, reject }: Waiting): void {
    this.#running += 1;
    const options: zlib.ZlibOptions = {
      level: job.level,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      chunkSize: Math.max(MIN_CHUNK_BYTES, Math.ceil(job.content.length / EXPECTED_RATIO)),
    };
    if (job.dictionary !== undefined) options.dictionary = job.dictionary;
    zlib.deflateRaw(job.content, options, (error, block) => {
      this.#running -= 1;
      if (error === null) resolve(block);
      else reject(error);
      this.#start();
    });
  }
}
