/** The memory of arrays that are alone in theirs, for the list of what a message takes along. */
export function memoryOf(arrays: readonly (Uint8Array | undefined)[]): ArrayBuffer[] {
  return arrays.flatMap((array) => (array === undefined ? [] : [array.buffer as ArrayBuffer]));
}

/** The same bytes as a Buffer: a message brings it as a plain array. */
export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** The pool of small Buffers has `Buffer.poolSize` bytes, and in Node 26 some more for alignment. */
const POOL_MARGIN_BYTES = 1024;

/**
 * What a compressor made, alone in its memory, which is at most twice as large: with its memory, or copied out of a much larger
 * chunk, which is given back at once, or out of the pool that all small Buffers share. `made` is not to be used after this.
 */
export function compact(made: Buffer): Buffer {
  const { byteLength } = made.buffer;
  const isPooled = byteLength >= Buffer.poolSize && byteLength <= Buffer.poolSize + POOL_MARGIN_BYTES;
  if (!isPooled && made.length * 2 >= byteLength) return made;
  const compacted = Buffer.allocUnsafeSlow(made.length);
  made.copy(compacted);
  if (!isPooled) freeNow(made);
  return compacted;
}

/**
 * Gives back the memory that an array is in, all of it, now and not with some collection: V8 lets tens of MB of it lie.
 * Nobody may use anything in it after this.
 */
export function freeNow({ buffer }: Uint8Array): void {
  (buffer as ArrayBuffer).transfer(0);
}
