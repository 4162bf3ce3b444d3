import { printable } from '../../printable.ts';
import { counted, formatCount } from '../format/quantity.ts';
import type { Terminal } from '../terminal.ts';
import { type ImportPlan, OLDER } from './plan-import.ts';
import { changesJson, printChanges } from './report-changes.ts';
import type { FileChange } from './store-changes.ts';

/** Older parts of each log that are listed, the newest ones; and positions of other logs. Programs get all. */
const LISTED = 3;

/** Prints what is taken over, and what is not, with what that means. */
export function printImport(plan: ImportPlan, { isStored }: { isStored: boolean }, terminal: Terminal): void {
  const { stdout } = terminal;
  const say = (text: string) => void stdout.write(`${printable(text)}\n`);
  const omitted = omittedOlder(plan.changes);
  const listed = plan.changes.filter((change) => !omitted.has(change));
  printChanges(listed, { head: 'why', of: ({ why }) => why }, terminal);
  if (omitted.size > 0) say(`and ${counted(omitted.size, 'older file')} that count as read; --json has all`);
  for (const { path, from, to } of plan.backedUp) {
    say(`${path}: ${formatCount(from)} was in the middle of a line, which is read again from ${formatCount(to)}`);
  }
  for (const line of lostLines(plan)) say(line);
  for (const { position, reason } of plan.others.slice(0, LISTED)) {
    say(`not taken over: ${position.place}, ${position.path}: ${reason}`);
  }
  if (plan.others.length > LISTED) say(`and ${counted(plan.others.length - LISTED, 'position')} of other logs`);
  say(isStored ? 'stored: the agent goes on there at its next start' : 'nothing was changed');
}

/** For programs. */
export function importJson(plan: ImportPlan): Record<string, unknown> {
  return {
    files: changesJson(plan.changes),
    backed_up: plan.backedUp,
    lost: plan.streams.flatMap(({ stream, lost }) =>
      lost.map(({ position, reason }) => ({ stream: stream.path, ...positionJson(position), reason })),
    ),
    other: plan.others.map(({ position, reason }) => ({ ...positionJson(position), reason })),
  };
}

/** Offset and inode are 64-bit numbers: as text, since no number of JSON holds all of them. */
function positionJson({ place, path, inode, offset }: ImportPlan['others'][number]['position']) {
  return { place, path, inode: String(inode), offset: String(offset) };
}

function omittedOlder(changes: readonly FileChange[]): ReadonlySet<FileChange> {
  const older = changes.filter(({ why }) => why === OLDER);
  return new Set([...Map.groupBy(older, ({ stream }) => stream).values()].flatMap((files) => files.slice(0, -LISTED)));
}

function lostLines({ streams }: ImportPlan): string[] {
  return streams.flatMap(({ stream, read, lost }) =>
    lost.map(({ position: { place, path, offset }, reason }) => {
      const meaning =
        read.size === 0
          ? 'what is there of the log would be read from its head, and lines come once more'
          : `if it was not read to its end, what stood behind byte ${offset} is missing; where a gzipped part of ` +
            `${stream.path} is it, set its place with: auditail offsets reset -c FILE --file PART.gz --to ${offset}`;
      return `not taken over: ${place}, ${path}: ${reason}; ${meaning}`;
    }),
  );
}
