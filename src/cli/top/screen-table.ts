import { cutRow, type Row, type Span, span } from './row.ts';
import { cutText, textWidth } from './text-width.ts';

export interface ScreenColumn {
  readonly head: string;
  /** Numbers stand on the right. */
  readonly align?: 'right';
  /** The column may be left out where there is no room for all; the one with the highest number goes first. */
  readonly drop?: number;
  /** Columns that its texts may be cut to, before columns are left out. */
  readonly shrink?: number;
  /** The column is left out when no row has anything to say in it. */
  readonly optional?: true;
}

export interface Cell extends Span {
  /** Which end of the text is cut off; the start of a path says less than its end. */
  readonly cut?: 'start';
}

const GAP = '  ';

/** Lays cells out in columns that fit into `width`. The first row is the head. */
export function layOutTable(
  columns: readonly ScreenColumn[],
  rows: readonly (readonly Cell[])[],
  width: number,
): readonly Row[] {
  let shown = columns.map((column, index) => ({
    ...column,
    index,
    natural: Math.max(textWidth(column.head), ...rows.map((row) => textWidth(row[index]!.text))),
  }));
  let widths = fit(shown, width);
  while (widths === undefined) {
    const dropped = Math.max(...shown.map(({ drop = 0 }) => drop));
    if (dropped === 0) {
      // All that is left is needed: each line is cut.
      widths = shown.map(({ natural, shrink = natural }) => Math.min(natural, shrink));
      break;
    }
    shown = shown.filter(({ drop }) => drop !== dropped);
    widths = fit(shown, width);
  }
  const line = (cells: readonly Cell[]): Row =>
    cutRow(
      cells.flatMap((cell, position) => [
        ...(position === 0 ? [] : [span(GAP)]),
        { ...cell, text: padded(cell, widths[position]!, shown[position]!, position === cells.length - 1) },
      ]),
      width,
    );
  const head = line(shown.map((column) => span(column.head, 'bold')));
  return [head, ...rows.map((row) => line(shown.map(({ index }) => row[index]!)))];
}

/** Widths that fit together, with texts cut as far as they may be, those further right first; undefined if none do. */
function fit(
  columns: readonly { readonly natural: number; readonly shrink?: number }[],
  width: number,
): number[] | undefined {
  const widths = columns.map(({ natural }) => natural);
  let over = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (columns.length - 1) - width;
  for (let index = columns.length - 1; index >= 0 && over > 0; index -= 1) {
    const { natural, shrink = natural } = columns[index]!;
    const given = Math.min(over, Math.max(0, natural - shrink));
    widths[index] = natural - given;
    over -= given;
  }
  return over > 0 ? undefined : widths;
}

function padded({ text, cut }: Cell, width: number, { align }: ScreenColumn, isLast: boolean): string {
  const fitting = cutText(text, width, cut ?? 'end');
  const space = ' '.repeat(Math.max(0, width - textWidth(fitting)));
  if (align === 'right') return space + fitting;
  return isLast ? fitting : fitting + space;
}
