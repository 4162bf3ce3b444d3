import type { DirectoryStatus } from '../../admin/agent-status.ts';
import { AuditailError } from '../../errors.ts';
import { printableLine } from '../../printable.ts';
import { formatAge } from '../format/age.ts';
import { counted, formatBytes, formatCount } from '../format/quantity.ts';
import { freeText } from '../status/sink-facts.ts';
import type { Look } from './look.ts';
import { cutRow, type Row, rowWidth, span } from './row.ts';
import { cutText, textWidth } from './text-width.ts';
import type { View } from './view.ts';

/** Reasons why an agent is not ready that are shown. */
const SHOWN_REASONS = 3;

/** Columns of a directory that say more than none. */
const MIN_DIRECTORY = 12;

/** What stands on top: whether the agent answers, who it is, and whether it does its work. */
export function headerRows(view: View, width: number): Row[] {
  const rows = [...answerRows(view, width), ...(view.look === undefined ? [] : agentRows(view.look, width))];
  return rows.map((row) => cutRow(row, width));
}

function answerRows({ place, look, failure, secondsOld, isWaiting, isPaused }: View, width: number): Row[] {
  const before = secondsOld === undefined || look === undefined ? [] : [`what was known ${formatAge(secondsOld)} ago:`];
  if (failure !== undefined) {
    const { message, cause } = failure;
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
    const hint = look === undefined && failure instanceof AuditailError && failure.hint;
    return [
      [span(cutText(printableLine(why), width), 'red')],
      [span([isPaused ? 'paused' : 'trying again', ...before].join('; '), 'yellow')],
      ...(hint ? wrapped(hint, width) : []),
    ];
  }
  if (look === undefined) return [[span(`asking the agent on ${printableLine(place)}`)]];
  return isWaiting && !isPaused ? [[span(`no answer yet; ${before}`, 'yellow')]] : [];
}

function agentRows({ status, uptimeSeconds }: Look, width: number): Row[] {
  const { program, pid, phase, unready, memory, commits, state } = status;
  const isReady = unready.length === 0;
  const who = (name: string): Row => [
    span(`${printableLine(name)}: ${printableLine(phase)}, `),
    span(isReady ? 'ready' : 'not ready', isReady ? 'green' : 'red'),
  ];
  const full = who(`${program}, pid ${pid}`);
  const failures = commits.failures_in_a_row;
  const facts: Row = [
    ...(uptimeSeconds === undefined ? [] : [span(`up ${formatAge(uptimeSeconds)}, `)]),
    span(`memory ${formatBytes(memory.resident_bytes)}, ${counted(commits.completed, 'commit')}`),
    ...(failures > 0 ? [span(`, ${formatCount(failures)} failed in a row`, 'red')] : []),
  ];
  const reasons = unready.slice(0, SHOWN_REASONS).map((reason): Row => [span(`  ${printableLine(reason)}`, 'red')]);
  const more = unready.length - SHOWN_REASONS;
  return [
    withRight(rowWidth(full) <= width ? full : who(program), clock(status.time), width),
    [...facts, ...stateSpans(state, width - rowWidth(facts))],
    ...reasons,
    ...(more > 0 ? [[span(`  … ${formatCount(more)} more`)]] : []),
  ];
}

/** The state's directory and free space; of the directory the end where it has no room, or none of it. */
function stateSpans(state: DirectoryStatus, room: number): Row {
  const [before, free] = [', state in ', ` (${freeText(state)})`];
  const directory = cutText(printableLine(state.directory), room - before.length - free.length, 'start');
  if (textWidth(directory) >= Math.min(MIN_DIRECTORY, state.directory.length)) {
    return [span(`${before}${directory}${free}`)];
  }
  const short = `, state: ${freeText(state)}`;
  return short.length <= room ? [span(short)] : [];
}

/** The agent's own time, as it stands in its log. */
function clock(time: string): string {
  return printableLine(time)
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

/** Text at the right end, or without its date, or not at all where there is no room. */
function withRight(row: Row, text: string, width: number): Row {
  for (const right of [text, text.replace(/^\S+ /, '')]) {
    const room = width - rowWidth(row) - rowWidth([span(right)]);
    if (room >= 2) return [...row, span(' '.repeat(room)), span(right, 'dim')];
  }
  return row;
}

function wrapped(text: string, width: number): Row[] {
  const lines = [''];
  for (const word of printableLine(text).split(' ')) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (rowWidth([span(longer)]) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => [span(line)]);
}
