import path from 'node:path';
import { styleText } from 'node:util';
import type {
  AgentStatus,
  DirectoryStatus,
  HttpSinkStatus,
  SinkStatus,
  SourceStatus,
} from '../../admin/agent-status.ts';
import { formatAge } from '../format/age.ts';
import { printable } from '../format/printable.ts';
import { counted, formatBytes, formatCount } from '../format/quantity.ts';
import { type Column, formatTable, usesColor } from '../format/table.ts';
import type { Terminal } from '../terminal.ts';

const SEGMENT_COLUMNS: readonly Column[] = [
  { head: 'file' },
  { head: 'state' },
  { head: 'size', align: 'right' },
  { head: 'sink' },
  { head: 'taken', align: 'right' },
  { head: 'lag', align: 'right' },
];

const SINK_COLUMNS: readonly Column[] = [
  { head: 'sink' },
  { head: 'type' },
  { head: 'state' },
  { head: 'lag', align: 'right' },
  { head: 'queue', align: 'right' },
  { head: 'spool', align: 'right' },
  { head: 'dead letters', align: 'right' },
  { head: 'where' },
];

/** Troubles that are shown; `--json` has all. */
const SHOWN_TROUBLES = 8;

/** Segments of one log that are shown. */
const SHOWN_SEGMENTS = 10;

/** Prints what the agent does, what it reads, where that goes, and what went wrong. */
export function printStatus(status: AgentStatus, terminal: Terminal): void {
  const { stdout } = terminal;
  const { program, pid, phase, unready, memory, state } = status;
  const isReady = unready.length === 0;
  const word = isReady ? 'ready' : 'not ready';
  const shown = usesColor(terminal) ? styleText(isReady ? 'green' : 'red', word, { validateStream: false }) : word;
  stdout.write(`${printable(program)}, pid ${pid}: ${phase}, ${shown}\n`);
  for (const reason of unready) stdout.write(`  ${printable(reason)}\n`);
  stdout.write(
    `memory ${formatBytes(memory.resident_bytes)}, ${counted(status.commits.completed, 'commit')}, state in ` +
      `${printable(state.directory)} (${freeText(state)})\n\n`,
  );
  for (const source of status.sources) printSource(source, terminal);
  stdout.write(`${formatTable(SINK_COLUMNS, sinkRows(status), terminal)}\n`);
  printTroubles(status, terminal);
}

function printSource(source: SourceStatus, terminal: Terminal): void {
  const { stdout } = terminal;
  stdout.write(printable(`source ${source.name}: ${source.path}\n`));
  const { window_seconds: window, held_deleted_bytes: held } = source;
  const facts = [
    `${source.files === null ? 'an unknown number of' : formatCount(source.files)} log files`,
    `${formatBytes(source.unread_bytes.live + source.unread_bytes.rotated)} unread`,
    ...(window === null ? [] : [`rotation deletes unread bytes in about ${formatAge(window)}`]),
    ...(held > 0 ? [`${formatBytes(held)} only held open, their files are deleted`] : []),
  ];
  stdout.write(`${facts.join(', ')}\n`);
  for (const { path: live, segments } of source.streams) {
    if (segments.length === 0) continue;
    const directory = path.dirname(live);
    const rows = segments
      .slice(0, SHOWN_SEGMENTS)
      .flatMap((segment) =>
        segment.sinks.map(({ sink, offset, lag }, index) => [
          ...(index > 0
            ? ['', '', '']
            : [
                path.dirname(segment.path) === directory ? path.basename(segment.path) : segment.path,
                segment.state,
                formatBytes(segment.size),
              ]),
          sink,
          formatCount(offset),
          formatBytes(lag),
        ]),
      );
    stdout.write(formatTable(SEGMENT_COLUMNS, rows, terminal));
    const more = segments.length - SHOWN_SEGMENTS;
    if (more > 0) stdout.write(`and ${counted(more, 'newer file')}; --json has all\n`);
  }
  stdout.write('\n');
}

function sinkRows({ sources, sinks }: AgentStatus): string[][] {
  return sinks.map((sink) => {
    const lags = sources.flatMap(({ lag }) => lag.filter((one) => one.sink === sink.name));
    const bytes = lags.reduce((sum, lag) => sum + lag.bytes, 0);
    const seconds = Math.max(0, ...lags.map((lag) => lag.seconds));
    const lag = seconds > 0 ? `${formatBytes(bytes)}, ${formatAge(seconds)}` : formatBytes(bytes);
    return sink.type === 'http' ? httpRow(sink, lag) : fileRow(sink, lag);
  });
}

function httpRow(sink: HttpSinkStatus, lag: string): string[] {
  const { name, format, state, receiver, queue_bytes, spool, dead_letters, origin } = sink;
  return [
    name,
    format,
    receiver === 'away' ? `${state}, receiver away` : state,
    lag,
    formatBytes(queue_bytes),
    formatBytes(spool.bytes),
    formatCount(dead_letters.events),
    origin,
  ];
}

function fileRow(sink: Extract<SinkStatus, { type: 'file' }>, lag: string): string[] {
  const open = `${formatCount(sink.open_files)} open`;
  return [sink.name, 'file', open, lag, '-', '-', '-', `${sink.directory} (${freeText(sink)})`];
}

function printTroubles({ troubles, time }: AgentStatus, { stdout }: Terminal): void {
  if (troubles.length === 0) {
    stdout.write('no warning or error since the start\n');
    return;
  }
  stdout.write('last warnings and errors\n');
  for (const { level, message, sink, source, fields, last, count } of troubles.slice(0, SHOWN_TROUBLES)) {
    const age = formatAge(Math.max(0, Date.parse(time) - Date.parse(last)) / 1000);
    const about = sink ?? source;
    const detail = fields.error ?? fields.reason ?? fields.path;
    const text = `${level} ${about === null ? '' : `${about}: `}${message}${detail === undefined ? '' : ` (${detail})`}`;
    stdout.write(`  ${age} ago${count > 1 ? `, ${formatCount(count)} times` : ''}: ${printable(text)}\n`);
  }
  const more = troubles.length - SHOWN_TROUBLES;
  if (more > 0) stdout.write(`  and ${formatCount(more)} older; --json has all\n`);
}

function freeText({ free_bytes: free, size_bytes: size }: DirectoryStatus): string {
  if (free === null || size === null) return 'free space unknown';
  return `${formatBytes(free)} of ${formatBytes(size)} free`;
}
