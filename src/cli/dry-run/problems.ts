/** What is told of one line that is no event. */
export interface Problem {
  readonly kind: 'unparsable' | 'torn' | 'oversize';
  /** The input, as it was named. */
  readonly file: string;
  /** From 1; columns are bytes. */
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

/** Problems told one by one; the others are only counted. */
const MAX_TOLD = 20;

/** The lines that are no events: how many of each kind, and the first ones. */
export class Problems {
  readonly first: Problem[] = [];
  readonly counts: Record<Problem['kind'], number> = { unparsable: 0, torn: 0, oversize: 0 };

  add(problem: Problem): void {
    this.counts[problem.kind] += 1;
    if (this.first.length < MAX_TOLD) this.first.push(problem);
  }

  /** Lines that are not valid: an oversize one may be. */
  get invalid(): number {
    return this.counts.unparsable + this.counts.torn;
  }

  /** Problems that are not among {@link first}. */
  get omitted(): number {
    return this.invalid + this.counts.oversize - this.first.length;
  }
}
