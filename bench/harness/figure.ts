/** What a figure is to reach. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

export type Unit = '×' | 'MB' | 'MB/s' | 's' | 'ms' | '% of a core' | 'a second' | 'in all';

export type Verdict = 'met' | 'missed' | 'not measured' | '–';

/** One line of the table. */
export interface Figure {
  /** For the chart, and for programs: does not change when the words do. */
  readonly id: string;
  readonly what: string;
  readonly unit: Unit;
  /** Undefined where it could not be measured; `note` says why. */
  readonly measured: number | undefined;
  readonly target?: Target;
  /** From what it was worked out, or why it was not. */
  readonly note: string;
}

/** Holds the exact figure to its target, not the one that is printed. */
export function verdictOf({ measured, target }: Pick<Figure, 'measured' | 'target'>): Verdict {
  if (measured === undefined) return 'not measured';
  if (target === undefined) return '–';
  const reached = 'atLeast' in target ? measured >= target.atLeast : measured <= target.atMost;
  return reached ? 'met' : 'missed';
}

export function printTarget(target: Target | undefined, unit: Unit): string {
  if (target === undefined) return '–';
  const [words, value] = 'atLeast' in target ? ['at least', target.atLeast] : ['at most', target.atMost];
  return `${words} ${value} ${unit}`;
}

/** Three digits that count, and never a figure that looks like its target while it misses it. */
export function printMeasured(figure: Pick<Figure, 'measured' | 'target' | 'unit'>): string {
  const { measured, target, unit } = figure;
  if (measured === undefined) return '–';
  const digits = Math.abs(measured) >= 100 ? 0 : Math.abs(measured) >= 10 ? 1 : 2;
  const limit = target === undefined ? undefined : 'atLeast' in target ? target.atLeast : target.atMost;
  const looksReached = Number(measured.toFixed(digits)) === limit && verdictOf(figure) === 'missed';
  return `${measured.toFixed(looksReached ? digits + 2 : digits)} ${unit}`;
}
