import { cutText, textWidth } from './text-width.ts';

/** Of a terminal that may show colours. */
export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/** A piece of a line of the screen: text without control characters. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** A line of the screen. */
export type Row = readonly Span[];

export function span(text: string, style?: Style): Span {
  return style === undefined ? { text } : { text, style };
}

export function rowWidth(row: Row): number {
  return textWidth(row.map(({ text }) => text).join(''));
}

/** The row in at most `width` columns. */
export function cutRow(row: Row, width: number): Row {
  if (rowWidth(row) <= width) return row;
  const kept: Span[] = [];
  for (const one of row) {
    const room = width - rowWidth(kept);
    kept.push({ ...one, text: cutText(one.text, room) });
    if (textWidth(one.text) > room) break;
  }
  return kept;
}
