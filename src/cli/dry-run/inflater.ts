import { once } from 'node:events';
import { createGunzip, type Gunzip } from 'node:zlib';

/** Inflated bytes a step. Before damage in the middle of the input, up to so many are lost with zlib's error. */
const INFLATE_CHUNK = 64 * 1024;

/**
 * Inflates gzip, also of several members. zlib's stream keeps back what it has inflated of a piece in which it meets an
 * error, and the last piece before `end` is an error when the input is cut off; so each piece is written on its own, and
 * everything before the cut comes out.
 */
export class Inflater {
  readonly #gunzip: Gunzip;
  readonly #failed: Promise<never>;

  constructor(take: (chunk: Buffer) => void) {
    this.#gunzip = createGunzip({ chunkSize: INFLATE_CHUNK });
    this.#failed = new Promise((_, reject) => this.#gunzip.once('error', reject));
    this.#failed.catch(() => undefined);
    this.#gunzip.on('data', take);
  }

  /** Resolves when everything in `piece` was inflated and taken; rejects with zlib's error (`Z_…`). */
  async write(piece: Buffer): Promise<void> {
    const written = new Promise<void>((resolve) => this.#gunzip.write(piece, () => resolve()));
    await Promise.race([written, this.#failed]);
  }

  /** Rejects when the input is not whole. */
  async end(): Promise<void> {
    const ended = once(this.#gunzip, 'end');
    this.#gunzip.end();
    await Promise.race([ended, this.#failed]);
  }

  destroy(): void {
    this.#gunzip.destroy();
  }
}
