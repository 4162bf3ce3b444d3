import type { AgentStatus } from '../../admin/agent-status.ts';
import { formatAge } from '../format/age.ts';
import { formatCount } from '../format/quantity.ts';
import { troubleAge, troubleText } from '../status/trouble-text.ts';
import { cell } from './cells.ts';
import type { Cell, ScreenColumn } from './screen-table.ts';

export const TROUBLE_COLUMNS: readonly ScreenColumn[] = [
  { head: 'ago', align: 'right' },
  { head: 'times', align: 'right', drop: 1 },
  { head: 'last warnings and errors', shrink: 40 },
];

/** A row for each warning and error, the newest first, as the agent has them. */
export function troubleRows({ troubles, time }: AgentStatus): (() => readonly Cell[])[] {
  return troubles.map((trouble) => () => [
    cell(formatAge(troubleAge(trouble, time))),
    cell(formatCount(trouble.count)),
    cell(troubleText(trouble), trouble.level === 'error' ? 'red' : 'yellow'),
  ]);
}
