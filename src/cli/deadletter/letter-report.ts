import { isUtf8 } from 'node:buffer';
import type { KeptLetter, LetterTotals } from '../../checkpoint/dead-letter-store.ts';
import { Instants } from '../format/instants.ts';
import { counted, formatBytes } from '../format/quantity.ts';
import { type Column, formatTable } from '../format/table.ts';
import type { Terminal } from '../terminal.ts';

/** Receivers answer with whole stack traces; `--json` has all of it. */
const MAX_REASON_LENGTH = 120;

const COLUMNS: readonly Column[] = [
  { head: 'reason' },
  { head: 'id', align: 'right' },
  { head: 'put aside' },
  { head: 'tries', align: 'right' },
  { head: 'tag' },
  { head: 'place' },
];

const UTC = new Instants();

/** What one sink has, and a table of some of it. */
export function letterTable(
  { sink, events, bytes }: LetterTotals,
  letters: readonly KeptLetter[],
  options: { readonly isConfigured: boolean; readonly terminal: Terminal },
): string {
  const name = options.isConfigured ? sink : `${sink} (not configured)`;
  const rows = letters.map(({ id, putAt, reason, attempts, event }) => [
    shortened(reason),
    String(id),
    UTC.format(putAt),
    String(attempts),
    event.tag,
    `${event.path}:${event.offset}`,
  ]);
  const rest = events - letters.length;
  const more = rest > 0 ? `and ${rest} more; --limit shows them\n` : '';
  return `${name}: ${counted(events, 'dead letter')}, ${formatBytes(bytes)}\n${formatTable(COLUMNS, rows, options.terminal)}${more}\n`;
}

/** For programs. The line is `raw` where it is text, and `raw_base64` where it is none, so that its bytes survive. */
export function letterJson({ id, sink, putAt, reason, attempts, event }: KeptLetter): Record<string, unknown> {
  const { tag, time, source, path, offset, line } = event;
  return {
    sink,
    id,
    put_aside: new Date(putAt).toISOString(),
    reason,
    attempts,
    tag,
    time: isoTime(time),
    source,
    path,
    offset,
    ...(isUtf8(line) ? { raw: line.toString('utf8') } : { raw_base64: line.toString('base64') }),
  };
}

function shortened(reason: string): string {
  const line = reason.replaceAll(/\s+/g, ' ').trim();
  return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH)}…` : line;
}

function isoTime(time: number): string | null {
  // A time out of a hostile event may be none that a date can hold.
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
