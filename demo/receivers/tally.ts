import { hashLine, type LineMultiset } from '../../test/helpers/line-multiset.ts';

/** How what was received differs from what was written. */
export interface Difference {
  readonly lost: number;
  readonly duplicated: number;
  readonly foreign: number;
}

/** Counts the lines that arrived. Keeps their hashes, and the lines themselves only when asked to. */
export class Tally {
  /** Lines, repetitions included. */
  total = 0;
  readonly #times = new Map<string, number>();
  readonly #lines: Buffer[] | undefined;

  constructor(options: { readonly keepLines?: boolean } = {}) {
    this.#lines = options.keepLines === true ? [] : undefined;
  }

  /** Counts a line, without its newline. */
  add(line: Buffer): void {
    const key = hashLine(line).toString('latin1');
    this.#times.set(key, (this.#times.get(key) ?? 0) + 1);
    this.total++;
    // A copy: the line is a slice of a request's body, which would be kept as a whole.
    this.#lines?.push(Buffer.from(line));
  }

  get distinct(): number {
    return this.#times.size;
  }

  /** How often a line arrived. */
  times(line: Buffer | string): number {
    return this.timesOfHash(hashLine(line));
  }

  /** How often the line with this hash arrived: see {@link hashLine}. */
  timesOfHash(lineHash: Buffer): number {
    return this.#times.get(lineHash.toString('latin1')) ?? 0;
  }

  /** The lines in the order in which they arrived. @throws Error when they were not to be kept. */
  get lines(): readonly Buffer[] {
    if (this.#lines === undefined) throw new Error('the lines were not kept: ask for keepLines');
    return this.#lines;
  }

  /** Sets what arrived against what was written. Forgets what was found in `expected` before. */
  compare(expected: LineMultiset): Difference {
    expected.clearFound();
    let duplicated = 0;
    let foreign = 0;
    for (const [key, times] of this.#times) {
      const hash = Buffer.from(key, 'latin1');
      for (let i = 0; i < times; i++) {
        const found = expected.find(hash);
        if (found === 'duplicate') duplicated++;
        if (found === 'foreign') foreign++;
      }
    }
    let lost = 0;
    for (const { times } of expected.missing()) lost += times;
    return { lost, duplicated, foreign };
  }
}
