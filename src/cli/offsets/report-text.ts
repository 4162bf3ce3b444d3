import path from 'node:path';
import { printable } from '../../printable.ts';
import { Instants } from '../format/instants.ts';
import { counted, formatBytes, formatCount } from '../format/quantity.ts';
import { type Column, formatTable } from '../format/table.ts';
import type { Terminal } from '../terminal.ts';
import type { SegmentOffsets, SourceOffsets, StreamOffsets } from './source-offsets.ts';

const SEGMENT_COLUMNS: readonly Column[] = [
  { head: 'file' },
  { head: 'state' },
  { head: 'size', align: 'right' },
  { head: 'sink' },
  { head: 'offset', align: 'right' },
  { head: 'lag', align: 'right' },
  { head: 'last event' },
];

const GAP_COLUMNS: readonly Column[] = [
  { head: 'lost from' },
  { head: 'offset', align: 'right' },
  { head: 'to', align: 'right' },
  { head: 'after the event of' },
  { head: 'before that of' },
];

const UTC = new Instants();

/** Prints a table for each log, and the gaps. */
export function printOffsets(sources: readonly SourceOffsets[], terminal: Terminal): void {
  const { stdout } = terminal;
  for (const { name, streams, gaps } of sources) {
    if (streams.length === 0) stdout.write(`${name}: no log was seen yet\n\n`);
    for (const stream of streams) printStream(name, stream, terminal);
    if (gaps.length === 0) continue;
    const rows = gaps.map((gap) => [
      gap.path,
      formatCount(gap.startOffset),
      gap.endOffset === undefined ? 'unknown' : formatCount(gap.endOffset),
      formatTime(gap.beforeTime),
      formatTime(gap.afterTime),
    ]);
    stdout.write(`${name}: ${counted(gaps.length, 'gap')}, where events were lost before they could be read\n`);
    stdout.write(`${formatTable(GAP_COLUMNS, rows, terminal)}\n`);
  }
}

function printStream(source: string, { path: live, segments, omitted }: StreamOffsets, terminal: Terminal): void {
  const { stdout } = terminal;
  const directory = path.dirname(live);
  stdout.write(`${printable(`${source}: ${live}`)}\n`);
  if (segments.length > 0) {
    const rows = segments.flatMap((segment) => segmentRows(segment, directory));
    stdout.write(formatTable(SEGMENT_COLUMNS, rows, terminal));
  }
  if (omitted > 0) stdout.write(`and ${counted(omitted, 'older finished file')}; --all shows them\n`);
  stdout.write('\n');
}

/** A row for each sink; what is the same in all of them stands in the first. */
function segmentRows(segment: SegmentOffsets, directory: string): string[][] {
  const { state, size, lastTime } = segment;
  const name = path.dirname(segment.path) === directory ? path.basename(segment.path) : segment.path;
  const shared = [name, state, size === undefined ? '-' : formatBytes(size)];
  const sinks = segment.sinks.map(({ sink, configured, offset, lag }) => [
    configured ? sink : `${sink} (not configured)`,
    formatCount(offset),
    formatBytes(lag),
  ]);
  if (sinks.length === 0) return [[...shared, '-', '-', '-', formatTime(lastTime)]];
  return sinks.map((row, index) =>
    index === 0 ? [...shared, ...row, formatTime(lastTime)] : ['', '', '', ...row, ''],
  );
}

function formatTime(timeMs: number | undefined): string {
  return timeMs === undefined ? '-' : UTC.format(timeMs);
}
