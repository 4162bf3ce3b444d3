import { formatCount } from '../format/quantity.ts';
import { formatTable } from '../format/table.ts';
import type { Terminal } from '../terminal.ts';
import type { SinkFacts } from './sink-facts.ts';

/** Prints what the state has of a sink. */
export function printSinkFacts(
  sinks: readonly { readonly sink: string; readonly facts: SinkFacts }[],
  terminal: Terminal,
): void {
  const columns = [
    { head: 'sink' },
    ...['places in files', 'archive files', 'spooled events', 'dead letters', 'cut-off tails'].map((head) => ({
      head,
      align: 'right' as const,
    })),
  ];
  const rows = sinks.map(({ sink, facts: { rows: of, spooled, letters, cutFiles } }) => [
    sink,
    ...[of.offsets, of.archives, spooled, letters, cutFiles].map(formatCount),
  ]);
  terminal.stdout.write(`${formatTable(columns, rows, terminal)}\n`);
}

/** For programs. */
export function sinkFactsJson({ rows, spooled, letters, cutFiles }: SinkFacts): Record<string, unknown> {
  return {
    places: rows.offsets,
    archive_files: rows.archives,
    spooled_events: spooled,
    dead_letters: letters,
    cut_tails: cutFiles,
  };
}
