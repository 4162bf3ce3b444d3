import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CompressedBlock, CompressionJob } from './compression-pool.ts';
import type { Answer, Order } from './compression-worker.ts';
import { asBuffer, memoryOf } from './moved-memory.ts';

/**
 * Blocks that a thread has at hand: the one that it compresses and the next ones. As much work as the loop may take before it
 * gives more: with one next block the threads stood still for a quarter of a catch-up.
 */
const DEPTH = 8;

/** Without work for so long, the threads end and give their memory back. */
const IDLE_MS = 10_000;

/** Of each thread: it only holds the blocks at hand. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

/** Beside this file, in the language that this file is run in. */
const WORKER_URL = new URL(`./compression-worker${path.extname(import.meta.url)}`, import.meta.url);

interface Job {
  readonly resolve: (block: CompressedBlock) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** In the order in which they were given; answers come in the same one. */
  readonly jobs: Job[];
}

/** Threads of our own that compress. Buffers move to them and back; none is copied or made for a block. */
export class CompressionThreads {
  readonly #count: number;
  readonly #onRoom: () => void;
  readonly #idleMs: number;
  #threads: Thread[] = [];
  #idle: NodeJS.Timeout | undefined;
  /** One of them ended by itself: the host has no room for threads, and others would not fare better. */
  #hasFailed = false;

  /** @param onRoom called when a thread can take another block */
  constructor(count: number, onRoom: () => void, idleMs = IDLE_MS) {
    this.#count = count;
    this.#onRoom = onRoom;
    this.#idleMs = idleMs;
  }

  get isRunning(): boolean {
    return this.#threads.length > 0;
  }

  get hasRoom(): boolean {
    return this.#threads.some(({ jobs }) => jobs.length < DEPTH);
  }

  /** Starts the threads, if they are not there. */
  begin(): void {
    if (this.isRunning || this.#hasFailed) return;
    this.#threads = Array.from({ length: this.#count }, () => this.#newThread());
    this.#rest();
  }

  /** Compresses a block; to be called while there is room. Rejects when the thread ends: the block's content is gone. */
  run(job: CompressionJob): Promise<CompressedBlock> {
    const [thread] = this.#threads.toSorted((a, b) => a.jobs.length - b.jobs.length);
    if (thread === undefined) return Promise.reject(new Error('no compression thread is running'));
    clearTimeout(this.#idle);
    // Only a thread that has work keeps the process alive.
    thread.worker.ref();
    const { format, level, startsMember, content, dictionary } = job;
    const order: Order = { format, level, startsMember, content, dictionary };
    const { promise, resolve, reject } = Promise.withResolvers<CompressedBlock>();
    thread.jobs.push({ resolve, reject });
    thread.worker.postMessage(order, memoryOf([content, dictionary]));
    return promise;
  }

  #newThread(): Thread {
    const worker = new Worker(WORKER_URL, { execArgv: [], resourceLimits: RESOURCE_LIMITS });
    const thread: Thread = { worker, jobs: [] };
    worker.unref();
    worker.on('message', (answer: Answer) => this.#take(thread, answer));
    worker.on('error', (error) => this.#lose(thread, error));
    worker.on('exit', () => this.#lose(thread, new Error('a compression thread ended')));
    return thread;
  }

  #take(thread: Thread, answer: Answer): void {
    const job = thread.jobs.shift()!;
    if (thread.jobs.length === 0) thread.worker.unref();
    if ('error' in answer) job.reject(answer.error);
    else {
      const { data, content, dictionary } = answer;
      job.resolve({
        data: asBuffer(data),
        content: asBuffer(content),
        dictionary: dictionary === undefined ? undefined : asBuffer(dictionary),
      });
    }
    this.#onRoom();
    if (this.#threads.every(({ jobs }) => jobs.length === 0)) this.#rest();
  }

  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(), this.#idleMs).unref();
  }

  #end(): void {
    const ended = this.#threads;
    this.#threads = [];
    for (const { worker } of ended) void worker.terminate();
  }

  #lose(thread: Thread, error: unknown): void {
    for (const { reject } of thread.jobs.splice(0)) reject(error);
    // One that was ended here is not among them any more.
    if (!this.#threads.includes(thread)) return;
    this.#hasFailed = true;
    this.#threads = this.#threads.filter((other) => other !== thread);
    this.#onRoom();
  }
}
