import type { AgentStatus, SinkStatus } from '../../admin/agent-status.ts';
import { formatBytes } from '../format/quantity.ts';
import { lettersText, queueText, type SinkLag, sinkLag, sinkState, spoolText } from '../status/sink-facts.ts';
import { ageCell, bytesCell, bytesRateCell, cell, eventsRateCell } from './cells.ts';
import type { Style } from './row.ts';
import type { Cell, ScreenColumn } from './screen-table.ts';
import { compareLags } from './stream-lag.ts';
import type { View } from './view.ts';

/** A spool that is fuller, and a disk that has less free, stand out: alert rules have the same shares. */
const SPOOL_FULL_SHARE = 0.8;
const DISK_FREE_SHARE = 0.1;

export const SINK_COLUMNS: readonly ScreenColumn[] = [
  { head: 'sink', shrink: 8 },
  { head: 'state' },
  { head: 'events/s', align: 'right', drop: 3 },
  { head: 'bytes/s', align: 'right', drop: 6 },
  { head: 'lag', align: 'right' },
  { head: 'oldest', align: 'right', drop: 4 },
  { head: 'queue', align: 'right', drop: 5, optional: true },
  { head: 'spool', align: 'right', drop: 2, optional: true },
  { head: 'letters', align: 'right', drop: 1, optional: true },
  { head: 'where', drop: 7, shrink: 16 },
];

/** How much a sink needs somebody: nothing that repairs itself comes before what does not. */
const BLOCKED = 4;
const AWAY = 3;
const BEHIND = 2;
const UNUSUAL = 1;
const WELL = 0;

/** A row for each sink. */
export function sinkRows(
  status: AgentStatus,
  { rates, sort }: Pick<View, 'rates' | 'sort'>,
): (() => readonly Cell[])[] {
  const lines = status.sinks.map((sink) => ({ sink, lag: sinkLag(status, sink.name), need: needOf(sink) }));
  const byName = (one: SinkStatus, other: SinkStatus) => (one.name < other.name ? -1 : 1);
  const sorted = lines.toSorted((one, other) =>
    sort === 'name'
      ? byName(one.sink, other.sink)
      : other.need - one.need || compareLags(one.lag, other.lag) || byName(one.sink, other.sink),
  );
  return sorted.map(
    ({ sink, lag, need }) =>
      () =>
        sinkCells(sink, lag, need, rates),
  );
}

function needOf(sink: SinkStatus): number {
  if (sink.type === 'file') return isDiskLow(sink) ? UNUSUAL : WELL;
  if (sink.state === 'blocked' || sink.receiver === 'blocked') return BLOCKED;
  if (sink.receiver === 'away') return AWAY;
  if (sink.state === 'behind') return BEHIND;
  return sink.state === 'spooling' || sink.dead_letters.events > 0 ? UNUSUAL : WELL;
}

function sinkCells(sink: SinkStatus, lag: SinkLag, need: number, rates: View['rates']): readonly Cell[] {
  const { name } = sink;
  const [events, bytes] =
    sink.type === 'file'
      ? (['archive_events_total', 'archive_content_bytes_total'] as const)
      : (['http_delivered_events_total', 'http_delivered_bytes_total'] as const);
  return [
    cell(name),
    cell(sinkState(sink), stateStyle(sink, need)),
    eventsRateCell(rates.perSecond(events, name)),
    bytesRateCell(rates.perSecond(bytes, name)),
    bytesCell(lag.bytes),
    ageCell(lag.seconds),
    cell(queueText(sink)),
    cell(spoolText(sink), isSpoolFull(sink) ? 'red' : undefined),
    cell(lettersText(sink), sink.type === 'http' && sink.dead_letters.events > 0 ? 'yellow' : undefined),
    cell(whereText(sink), sink.type === 'file' && isDiskLow(sink) ? 'red' : undefined),
  ];
}

function stateStyle(sink: SinkStatus, need: number): Style | undefined {
  if (need >= BLOCKED) return 'red';
  return sink.type === 'http' && (need >= BEHIND || sink.state === 'spooling') ? 'yellow' : undefined;
}

/** Where a path has no room, its disk has. */
function whereText(sink: SinkStatus): string {
  if (sink.type === 'http') return sink.origin;
  return sink.free_bytes === null ? sink.directory : `${formatBytes(sink.free_bytes)} free in ${sink.directory}`;
}

function isSpoolFull(sink: SinkStatus): boolean {
  return sink.type === 'http' && sink.spool.bytes > SPOOL_FULL_SHARE * sink.spool.max_bytes;
}

function isDiskLow({ free_bytes: free, size_bytes: size }: Extract<SinkStatus, { type: 'file' }>): boolean {
  return free !== null && size !== null && free < DISK_FREE_SHARE * size;
}
