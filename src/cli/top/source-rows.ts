import path from 'node:path';
import type { AgentStatus, SourceStatus } from '../../admin/agent-status.ts';
import { formatCount } from '../format/quantity.ts';
import { ageCell, bytesCell, bytesRateCell, cell, eventsRateCell, NOTHING, pathCell } from './cells.ts';
import type { Cell, ScreenColumn } from './screen-table.ts';
import { compareLags, type Lag, largestLag, streamLags } from './stream-lag.ts';
import type { View } from './view.ts';

/** The window in which unread rotated parts are lost is shown in red below this; an alert rule is of the same length. */
const SHORT_WINDOW_SECONDS = 3_600;

export const SOURCE_COLUMNS: readonly ScreenColumn[] = [
  { head: 'source', shrink: 9 },
  { head: 'events/s', align: 'right', drop: 3 },
  { head: 'bytes/s', align: 'right', drop: 5 },
  { head: 'lag', align: 'right' },
  { head: 'oldest', align: 'right', drop: 2 },
  { head: 'lost in', align: 'right', drop: 1 },
  { head: 'slowest', drop: 4, shrink: 8 },
  { head: 'held', align: 'right', drop: 7, optional: true },
  { head: 'files', align: 'right', drop: 6 },
  { head: 'log', drop: 8, shrink: 12 },
];

interface Line {
  readonly name: string;
  readonly lag: Lag | undefined;
  readonly isTroubled: boolean;
  readonly cells: () => readonly Cell[];
}

/** A row for each source; then, of sources that have several logs, one for each of those. */
export function sourceRows(
  status: AgentStatus,
  { rates, sort }: Pick<View, 'rates' | 'sort'>,
): (() => readonly Cell[])[] {
  const sources = status.sources.map((source): Line => {
    const lag = largestLag(source.lag);
    const isTroubled = source.files === null || source.unreadable.length > 0;
    return { name: source.name, lag, isTroubled, cells: () => sourceCells(source, lag, rates) };
  });
  const streams = status.sources.flatMap((source) => {
    if (source.streams.length < 2) return [];
    const directory = commonDirectory(source.streams.map((stream) => stream.path));
    return source.streams.map((stream): Line => {
      const lag = largestLag(streamLags(source, stream, status.time));
      return { name: stream.path, lag, isTroubled: false, cells: () => streamCells(directory, stream.path, lag) };
    });
  });
  return [sources, streams].flatMap((lines) => sorted(lines, sort).map(({ cells }) => cells));
}

function sorted(lines: readonly Line[], sort: View['sort']): Line[] {
  const byName = (one: Line, other: Line) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
  if (sort === 'name') return lines.toSorted(byName);
  return lines.toSorted(
    (one, other) =>
      Number(other.isTroubled) - Number(one.isTroubled) || compareLags(one.lag, other.lag) || byName(one, other),
  );
}

function sourceCells(source: SourceStatus, lag: Lag | undefined, rates: View['rates']): readonly Cell[] {
  const { name, window_seconds: window, unread_bytes: unread, held_deleted_bytes: held } = source;
  const isClosing = window !== null && window < SHORT_WINDOW_SECONDS && unread.rotated > 0;
  return [
    cell(name),
    eventsRateCell(rates.perSecond('received_events_total', name)),
    bytesRateCell(rates.perSecond('received_bytes_total', name)),
    bytesCell(lag?.bytes ?? 0),
    ageCell(lag?.seconds ?? 0),
    { ...ageCell(window), ...(isClosing ? { style: 'red' } : {}) },
    lag === undefined ? NOTHING : cell(lag.sink),
    held === 0 ? NOTHING : { ...bytesCell(held), style: 'yellow' },
    filesCell(source),
    pathCell(source.path),
  ];
}

function filesCell({ files, unreadable }: SourceStatus): Cell {
  if (files === null) return cell('unknown', 'red');
  const text = formatCount(files);
  return unreadable.length === 0 ? { text } : cell(`${text}, ${formatCount(unreadable.length)} unreadable`, 'red');
}

function streamCells(directory: string, stream: string, lag: Lag | undefined): readonly Cell[] {
  const blank = { text: '' };
  return [
    pathCell(` ${stream.slice(directory.length).replace(/^\//, '')}`),
    blank,
    blank,
    bytesCell(lag?.bytes ?? 0),
    ageCell(lag?.seconds ?? 0),
    blank,
    lag === undefined ? NOTHING : cell(lag.sink),
    blank,
    blank,
    blank,
  ];
}

/** The deepest directory that all paths are below. */
function commonDirectory(paths: readonly string[]): string {
  const parts = paths.map((one) => path.dirname(one).split(path.sep));
  const [first = []] = parts;
  const differs = first.findIndex((part, index) => parts.some((other) => other[index] !== part));
  return first.slice(0, differs === -1 ? undefined : differs).join(path.sep);
}
