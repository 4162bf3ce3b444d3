import path from 'node:path';
import { styleText } from 'node:util';
import type { AgentStatus, SourceStatus } from '../../admin/agent-status.ts';
import { printable, printableLine } from '../../printable.ts';
import { formatAge } from '../format/age.ts';
import { counted, formatBytes, formatCount } from '../format/quantity.ts';
import { type Column, formatTable, usesColor } from '../format/table.ts';
import type { Terminal } from '../terminal.ts';
import { freeText, lettersText, placeText, queueText, sinkLag, sinkState, sinkType, spoolText } from './sink-facts.ts';
import { troubleAge, troubleText } from './trouble-text.ts';

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

function sinkRows(status: AgentStatus): string[][] {
  return status.sinks.map((sink) => {
    const { bytes, seconds } = sinkLag(status, sink.name);
    return [
      sink.name,
      sinkType(sink),
      sinkState(sink),
      seconds > 0 ? `${formatBytes(bytes)}, ${formatAge(seconds)}` : formatBytes(bytes),
      queueText(sink),
      spoolText(sink),
      lettersText(sink),
      placeText(sink),
    ];
  });
}

function printTroubles({ troubles, time }: AgentStatus, { stdout }: Terminal): void {
  if (troubles.length === 0) {
    stdout.write('no warning or error since the start\n');
    return;
  }
  stdout.write('last warnings and errors\n');
  for (const trouble of troubles.slice(0, SHOWN_TROUBLES)) {
    const times = trouble.count > 1 ? `, ${formatCount(trouble.count)} times` : '';
    stdout.write(`  ${formatAge(troubleAge(trouble, time))} ago${times}: ${printableLine(troubleText(trouble))}\n`);
  }
  const more = troubles.length - SHOWN_TROUBLES;
  if (more > 0) stdout.write(`  and ${formatCount(more)} older; --json has all\n`);
}
