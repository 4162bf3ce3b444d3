/** Something that must not be, and what to look at. */
export interface Violation {
  /** The promise that was broken. */
  readonly rule: string;
  readonly text: string;
}

/** Violations of each rule that are told one by one. */
const MAX_EACH = 20;

/** Collects violations: of each rule all are counted, and the first ones told. */
export class Violations {
  readonly list: Violation[] = [];
  readonly #counts = new Map<string, number>();

  add(rule: string, text: string): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count <= MAX_EACH) this.list.push({ rule, text });
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
