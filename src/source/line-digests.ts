import type { ChunkMemory } from '../event/chunk-memory.ts';
import { LoadedContent } from './content-digest.ts';

/** Bytes of one stored digest. */
export const DIGEST_BYTES = 8;
/** A length is stored in 32 bits. */
const MAX_LENGTH = 2 ** 32 - 1;

const INITIAL_ENTRIES = 256;

/** One for all: what is loaded is used before anything is waited for. */
const content = new LoadedContent();

/**
 * Length and digest ({@link LoadedContent}) of each line that was read since the last commit. Stored with the anchor, they let a log that was
 * cut back (a power loss of the host: the log is not synced by its writer) be resumed at the very line where it
 * differs from what was archived, so that nothing is archived twice.
 */
export class LineDigests {
  #entries: Buffer = Buffer.alloc(DIGEST_BYTES * INITIAL_ENTRIES);
  /** Over the same bytes. */
  #view = viewOf(this.#entries);
  #length = 0;

  /** Loads [start, end) of `buffer`, which may be that of `memory`: lines of it are added next. */
  load(buffer: Buffer, start: number, end: number, memory?: ChunkMemory): this {
    content.load(buffer, start, end, memory);
    return this;
  }

  /** Adds the line [start, end) of what was loaded, with its newline. */
  add(start: number, end: number): void {
    this.addDigest(end - start, content.digest(start, end));
  }

  /** Lines of 4 GiB and more are left out: a log that is cut back behind one is resumed before it. */
  addDigest(length: number, digest: number): void {
    if (length > MAX_LENGTH) return;
    if (this.#length === this.#entries.length) {
      const larger = Buffer.alloc(this.#entries.length * 2);
      this.#entries.copy(larger);
      this.#use(larger);
    }
    this.#view.setUint32(this.#length, length, true);
    this.#view.setUint32(this.#length + 4, digest, true);
    this.#length += DIGEST_BYTES;
  }

  /** The digests as they are stored, and begins anew. */
  take(): Buffer | undefined {
    const taken = this.#length > 0 ? Buffer.from(this.#entries.subarray(0, this.#length)) : undefined;
    this.clear();
    return taken;
  }

  clear(): void {
    this.#length = 0;
    if (this.#entries.length > DIGEST_BYTES * INITIAL_ENTRIES) this.#use(Buffer.alloc(DIGEST_BYTES * INITIAL_ENTRIES));
  }

  #use(entries: Buffer): void {
    this.#entries = entries;
    this.#view = viewOf(entries);
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** Reads stored digests back. */
export function* digestEntries(stored: Buffer): Generator<{ length: number; digest: number }> {
  for (let at = 0; at + DIGEST_BYTES <= stored.length; at += DIGEST_BYTES) {
    yield { length: stored.readUInt32LE(at), digest: stored.readUInt32LE(at + 4) };
  }
}
