import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Bytes of a line's hash. 128 bits of SHA-256: two of 10^9 lines agree with a probability below 10^-20. */
export const LINE_HASH_BYTES = 16;

const WORDS = LINE_HASH_BYTES / 4;
const FIRST_CAPACITY = 1024;

/** The hash of a line without its newline. Hashes are over bytes: a decoder would hide what it cannot decode. */
export function hashLine(line: Uint8Array | string): Buffer {
  return hash('sha256', line, 'buffer').subarray(0, LINE_HASH_BYTES);
}

export type Found = 'expected' | 'duplicate' | 'foreign';

/**
 * The lines that should be somewhere, each as often as it was written, and how often each was found there.
 *
 * Open addressing over typed arrays: 24 bytes for each slot, at most three quarters full.
 */
export class LineMultiset {
  #keys = new Uint32Array(FIRST_CAPACITY * WORDS);
  #expected = new Uint32Array(FIRST_CAPACITY);
  #found = new Uint32Array(FIRST_CAPACITY);
  #distinct = 0;
  #total = 0;

  /** Reads a file of hashes, {@link LINE_HASH_BYTES} each, one for every line written. A torn last record is left out. */
  static fromLedger(path: string): LineMultiset {
    const records = readFileSync(path);
    const set = new LineMultiset();
    for (let at = 0; at + LINE_HASH_BYTES <= records.length; at += LINE_HASH_BYTES) {
      set.expect(records.subarray(at, at + LINE_HASH_BYTES));
    }
    return set;
  }

  /** Lines expected, repetitions included. */
  get total(): number {
    return this.#total;
  }

  /** Expects a line once more. */
  expect(lineHash: Uint8Array): void {
    if (this.#distinct * 4 >= this.#expected.length * 3) this.#grow();
    const key = words(lineHash);
    const slot = this.#slot(key);
    if (this.#expected[slot] === 0) {
      this.#keys.set(key, slot * WORDS);
      this.#distinct++;
    }
    this.#expected[slot]!++;
    this.#total++;
  }

  /** Counts a line as found and says what it is: expected, one too many, or never written. */
  find(lineHash: Uint8Array): Found {
    const slot = this.#slot(words(lineHash));
    const expected = this.#expected[slot]!;
    if (expected === 0) return 'foreign';
    return ++this.#found[slot]! > expected ? 'duplicate' : 'expected';
  }

  /** Forgets what was found, so that another archive can be compared. */
  clearFound(): void {
    this.#found.fill(0);
  }

  /** The lines that were found less often than expected, as hexadecimal hashes. */
  *missing(): Generator<{ readonly hash: string; readonly times: number }> {
    for (let slot = 0; slot < this.#expected.length; slot++) {
      const times = this.#expected[slot]! - this.#found[slot]!;
      if (times <= 0) continue;
      const key = this.#keys.slice(slot * WORDS, (slot + 1) * WORDS);
      yield { hash: Buffer.from(key.buffer).toString('hex'), times };
    }
  }

  /** The slot that holds the key, or the free one where it belongs. */
  #slot(key: Uint32Array): number {
    const mask = this.#expected.length - 1;
    for (let slot = key[0]! & mask; ; slot = (slot + 1) & mask) {
      if (this.#expected[slot] === 0) return slot;
      const at = slot * WORDS;
      let same = true;
      for (let i = 0; i < WORDS; i++) same &&= this.#keys[at + i] === key[i];
      if (same) return slot;
    }
  }

  #grow(): void {
    const [keys, expected, found] = [this.#keys, this.#expected, this.#found];
    const capacity = expected.length * 2;
    this.#keys = new Uint32Array(capacity * WORDS);
    this.#expected = new Uint32Array(capacity);
    this.#found = new Uint32Array(capacity);
    for (let old = 0; old < expected.length; old++) {
      if (expected[old] === 0) continue;
      const key = keys.subarray(old * WORDS, (old + 1) * WORDS);
      const slot = this.#slot(key);
      this.#keys.set(key, slot * WORDS);
      this.#expected[slot] = expected[old]!;
      this.#found[slot] = found[old]!;
    }
  }
}

/** The hash as words, copied: a Buffer's bytes need not lie on a word boundary. */
function words(lineHash: Uint8Array): Uint32Array {
  const key = new Uint32Array(WORDS);
  new Uint8Array(key.buffer).set(lineHash);
  return key;
}
