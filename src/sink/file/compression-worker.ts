import os from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { Compression } from '../../config/types.ts';
import { ARCHIVE_FORMATS } from './archive-format.ts';
import { asBuffer, compact, memoryOf } from './moved-memory.ts';

/** A block to compress. Each array is alone in its memory, which moves with it. */
export interface Order {
  readonly format: Compression;
  readonly level: number;
  readonly startsMember: boolean;
  readonly content: Uint8Array;
  readonly dictionary: Uint8Array | undefined;
}

/** The same arrays back, with the result; one for each order, in their order. */
export type Answer =
  | { readonly data: Uint8Array; readonly content: Uint8Array; readonly dictionary: Uint8Array | undefined }
  | { readonly error: unknown };

/**
 * Of a thread that compresses, against the event loop's 0. A thread that is woken may else take the core of the loop, which
 * wakes one for each block and each file call: zstd 1 is 13 % faster so, gzip 1 14 %, gzip 6 2 %. And where the cores are
 * wanted by others, reading goes on, and compressing waits.
 */
const NICENESS = 10;

// The entry of a thread: it answers until it is ended. Elsewhere there is nobody to answer.
const port = parentPort;
if (port !== null) stepBack();

port?.on('message', (order: Order) => {
  try {
    const { format, level, startsMember, content, dictionary } = order;
    const made = ARCHIVE_FORMATS[format].codec!.compressSync({
      content: asBuffer(content),
      dictionary: dictionary === undefined ? undefined : asBuffer(dictionary),
      startsMember,
      level,
    });
    const data = compact(made);
    port.postMessage({ data, content, dictionary } satisfies Answer, memoryOf([data, content, dictionary]));
  } catch (error) {
    port.postMessage({ error } satisfies Answer);
  }
});

/** Only Linux has a niceness for each thread; elsewhere it is that of the process. See setpriority(2), "C library/kernel differences". */
function stepBack(): void {
  if (process.platform !== 'linux') return;
  try {
    os.setPriority(NICENESS);
  } catch {
    // A sandbox may forbid it. It is slower then, nothing else.
  }
}
