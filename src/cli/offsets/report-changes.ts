import path from 'node:path';
import { printable } from '../../printable.ts';
import { formatBytes, formatCount } from '../format/quantity.ts';
import { type Column, formatTable } from '../format/table.ts';
import type { Terminal } from '../terminal.ts';
import type { SinkChange } from './place-part.ts';
import { effectOf, type FileChange } from './store-changes.ts';

const COLUMNS: readonly Column[] = [
  { head: 'file' },
  { head: 'size', align: 'right' },
  { head: 'sink' },
  { head: 'before', align: 'right' },
  { head: 'after', align: 'right' },
];

/** A table for each log. The last column is `last` of each sink's change. */
export function printChanges(
  changes: readonly FileChange[],
  last: { readonly head: string; readonly of: (change: FileChange, sink: SinkChange) => string },
  terminal: Terminal,
): void {
  for (const [title, files] of Map.groupBy(changes, ({ source, stream }) => `${source}: ${stream}`)) {
    const rows = files.flatMap((change) => changeRows(change, last.of));
    terminal.stdout.write(`${printable(title)}\n${formatTable([...COLUMNS, { head: last.head }], rows, terminal)}\n`);
  }
}

/** Sinks that go the same way share a row. */
function changeRows(change: FileChange, lastOf: (change: FileChange, sink: SinkChange) => string): string[][] {
  const { path: file, stream, size } = change;
  const name = path.dirname(file) === path.dirname(stream) ? path.basename(file) : file;
  const same = Map.groupBy(change.sinks, (sink) => `${sink.before} ${sink.after} ${lastOf(change, sink)}`);
  return [...same.values()].map((sinks, index) => {
    const [{ before, after }] = sinks as [SinkChange, ...SinkChange[]];
    const shared = index === 0 ? [name, size === undefined ? '-' : formatBytes(size)] : ['', ''];
    const names = sinks.map(({ sink }) => sink).join(', ');
    return [...shared, names, formatCount(before), formatCount(after), lastOf(change, sinks[0]!)];
  });
}

/** What a change means for who reads the sink's output. */
export function describeEffect(sink: SinkChange): string {
  const { again, skipped } = effectOf(sink);
  if (again > 0) return `${formatBytes(again)} again`;
  return skipped > 0 ? `${formatBytes(skipped)} skipped` : 'as it was';
}

/** For programs. */
export function changesJson(changes: readonly FileChange[]): Record<string, unknown>[] {
  return changes.map(({ source, stream, path: file, isNew, size, why, sinks }) => ({
    source,
    stream,
    path: file,
    new: isNew,
    size: size ?? null,
    ...(why === '' ? {} : { why }),
    sinks: sinks.map(({ sink, before, after }) => ({ sink, before, after })),
  }));
}
