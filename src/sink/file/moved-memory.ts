/** The memory of arrays that are alone in theirs, for the list of what a message takes along. */
export function memoryOf(arrays: readonly (Uint8Array | undefined)[]): ArrayBuffer[] {
  return arrays.flatMap((array) => (array === undefined ? [] : [array.buffer as ArrayBuffer]));
}

/** The same bytes as a Buffer: a message brings it as a plain array. */
export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** The pool of small Buffers has `Buffer.poolSize` bytes, and in Node 26 some more for alignment. What is larger is not it. */
const POOL_MARGIN_BYTES = 1024;

/**
 * Brings what a compressor gave into memory that is its own: into `spare`, which is alone in its memory, where it fits.
 * A result may be a part of a much larger chunk, or of the pool that all small Buffers share.
 */
export function place(made: Buffer, spare: Uint8Array | undefined): Buffer {
  let placed: Buffer;
  if (spare === undefined || spare.length < made.length) {
    placed = Buffer.allocUnsafeSlow(made.length);
    made.copy(placed);
  } else {
    spare.set(made);
    placed = asBuffer(spare.subarray(0, made.length));
  }
  if (made.buffer.byteLength > Buffer.poolSize + POOL_MARGIN_BYTES) freeNow(made);
  return placed;
}

/**
 * Gives back the memory that an array is in, all of it, now and not with some collection: V8 lets tens of MB of it lie.
 * Nobody may use anything in it after this.
 */
export function freeNow({ buffer }: Uint8Array): void {
  (buffer as ArrayBuffer).transfer(0);
}
