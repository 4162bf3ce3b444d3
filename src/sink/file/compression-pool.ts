import type { Compression } from '../../config/types.ts';
import { ARCHIVE_FORMATS, type BlockJob } from './archive-format.ts';
import { CompressionThreads } from './compression-threads.ts';
import { compact } from './moved-memory.ts';

/**
 * Content that waits before threads of our own are started. libuv's threads do for commits of a few MB: between two blocks
 * they wait for the event loop, which in a catch-up is busy. Threads of our own have the next block at hand, but each takes
 * some MB of memory.
 */
const BACKLOG_BYTES = 8 * 1024 * 1024;

/**
 * Content that may wait before readers do, a little more than starts the threads: with 16 MiB a catch-up is 2 % faster and takes
 * 17 MB more.
 */
const MAX_WAITING_BYTES = 10 * 1024 * 1024;

export interface CompressionJob extends BlockJob {
  readonly format: Compression;
}

/**
 * The buffers that come back are the only ones to use: those of the job may have moved to another thread and back. Each is
 * alone in its memory.
 */
export interface CompressedBlock {
  readonly data: Buffer;
  readonly content: Buffer;
  readonly dictionary: Buffer | undefined;
}

interface Waiting {
  readonly job: CompressionJob;
  readonly wanted: () => boolean;
  readonly resolve: (block: CompressedBlock | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Compresses at most `threads` blocks at once, first come first served.
 *
 * libuv has four threads unless `UV_THREADPOOL_SIZE` says otherwise, and file calls need some of them.
 */
export class CompressionPool {
  readonly #threads: number;
  readonly #backlogBytes: number;
  readonly #own: CompressionThreads;
  /** Blocks on libuv's threads. */
  #running = 0;
  #waiting: (Waiting | undefined)[] = [];
  #next = 0;
  #waitingBytes = 0;
  /** Readers. */
  #forRoom: (() => void)[] = [];

  constructor(threads: number, options: { backlogBytes?: number; idleMs?: number } = {}) {
    this.#threads = Math.max(1, threads);
    this.#backlogBytes = options.backlogBytes ?? BACKLOG_BYTES;
    this.#own = new CompressionThreads(this.#threads, () => this.#start(), options.idleMs);
  }

  /** Whether there are threads of our own. */
  get hasThreads(): boolean {
    return this.#own.isRunning;
  }

  /**
   * Gives the block, or undefined when it was no longer wanted. `wanted` is looked at before the work starts: what a rewind
   * gave up is not compressed any more.
   */
  run(job: CompressionJob, wanted: () => boolean): Promise<CompressedBlock | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, wanted, resolve, reject });
      this.#waitingBytes += job.content.length;
      if (this.#waitingBytes >= this.#backlogBytes) this.#own.begin();
      this.#start();
    });
  }

  /** Resolves when so little waits that readers should bring more. */
  async whenShort(): Promise<void> {
    if (this.#waitingBytes > MAX_WAITING_BYTES) await new Promise<void>((resolve) => this.#forRoom.push(resolve));
  }

  #start(): void {
    while (this.#next < this.#waiting.length && this.#hasRoom) {
      const waiting = this.#waiting[this.#next]!;
      // It holds the content of a block: not one moment longer than that is needed, or memory has no limit.
      this.#waiting[this.#next++] = undefined;
      this.#waitingBytes -= waiting.job.content.length;
      if (!waiting.wanted()) waiting.resolve(undefined);
      else if (this.#own.isRunning) this.#own.run(waiting.job).then(waiting.resolve, waiting.reject);
      else void this.#run(waiting);
    }
    if (this.#waitingBytes <= MAX_WAITING_BYTES) for (const resolve of this.#forRoom.splice(0)) resolve();
    // The queue is cut in large steps: shifting each job off a long array is quadratic.
    if (this.#next === this.#waiting.length || this.#next > 1024) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }

  get #hasRoom(): boolean {
    return this.#own.isRunning ? this.#own.hasRoom : this.#running < this.#threads;
  }

  async #run({ job, resolve, reject }: Waiting): Promise<void> {
    this.#running += 1;
    try {
      const { content, dictionary } = job;
      const made = await ARCHIVE_FORMATS[job.format].codec!.compress(job);
      resolve({ data: compact(made), content, dictionary });
    } catch (error) {
      reject(error);
    } finally {
      this.#running -= 1;
      this.#start();
    }
  }
}
