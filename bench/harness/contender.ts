import type { Run } from './measure.ts';

/** A program that does the job, or the part of it that it is a reference for. */
export interface Contender {
  readonly name: string;
  /** Why it cannot take part here; undefined when it can. */
  readonly missing?: string | undefined;
  /** For a slow one of which little depends: it sits out all rounds after so many. */
  readonly maxRounds?: number;
  /** Makes ready, not measured. `directory` is empty, and goes away after the run with all that is in it. */
  prepare(directory: string): Run;
  /** After the first run: is everything there? Throws if not: a program that loses half of its input is no reference. */
  check?(directory: string): Promise<void>;
}
