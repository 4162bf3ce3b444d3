import { printableLine } from '../../printable.ts';
import { formatAge } from '../format/age.ts';
import { formatBytes, formatCount } from '../format/quantity.ts';
import type { Style } from './row.ts';
import type { Cell } from './screen-table.ts';

/** A cell whose text cannot do anything to the terminal. */
export function cell(text: string, style?: Style): Cell {
  const shown = printableLine(text);
  return style === undefined ? { text: shown } : { text: shown, style };
}

/** Of which the end is shown where it has no room. */
export function pathCell(text: string): Cell {
  return { ...cell(text), cut: 'start' };
}

export const NOTHING: Cell = { text: '-' };

export function bytesCell(bytes: number): Cell {
  return { text: formatBytes(bytes) };
}

export function ageCell(seconds: number | null | undefined): Cell {
  return seconds === null || seconds === undefined ? NOTHING : { text: formatAge(seconds) };
}

/** Events a second. A decimal where it is few. */
export function eventsRateCell(rate: number | undefined): Cell {
  if (rate === undefined) return NOTHING;
  return { text: rate > 0 && rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate)) };
}

/** Bytes a second. */
export function bytesRateCell(rate: number | undefined): Cell {
  return rate === undefined ? NOTHING : { text: formatBytes(rate) };
}
