import { styleText } from 'node:util';
import CliTable from 'cli-table3';
import { printable } from '../../printable.ts';
import type { Terminal } from '../terminal.ts';

export interface Column {
  readonly head: string;
  /** Numbers stand on the right. */
  readonly align?: 'right';
}

const GAP = '  ';

/** A first column is not made narrower than this, however narrow the terminal is. */
const MIN_WRAPPED_WIDTH = 20;

/** No frames: columns with two spaces between them and a line under their heads. */
const CHARS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '─',
  'mid-mid': GAP,
  right: '',
  'right-mid': '',
  middle: GAP,
} as const;

/**
 * A table as text with a newline at its end. On a terminal that is too narrow for it, the first column is wrapped; in a
 * pipe nothing is, and no colours are used.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): string {
  const cells = rows.map((row) => row.map(printable));
  const table = new CliTable({
    chars: CHARS,
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    colWidths: wrappedWidths(columns, cells, terminal),
    wordWrap: true,
    wrapOnWordBoundary: false,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  table.push(...cells.map((row) => [...row]));
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  if (usesColor(terminal)) lines[0] = styleText('bold', lines[0]!, { validateStream: false });
  return `${lines.join('\n')}\n`;
}

/** Whether stdout may have escape sequences (https://no-color.org). */
export function usesColor({ stdout, env }: Terminal): boolean {
  return stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

function wrappedWidths(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { stdout }: Terminal,
): (number | null)[] {
  if (stdout.isTTY !== true || stdout.columns === undefined) return [];
  const widths = columns.map(({ head }, index) =>
    rows.reduce((width, row) => Math.max(width, row[index]!.length), head.length),
  );
  const others = widths.slice(1).reduce((sum, width) => sum + GAP.length + width, 0);
  const room = Math.max(MIN_WRAPPED_WIDTH, stdout.columns - others);
  return widths[0]! > room ? [room] : [];
}
