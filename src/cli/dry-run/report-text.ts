import { Instants } from '../format/instants.ts';
import { counted, formatBytes, formatCount } from '../format/quantity.ts';
import { type Column, formatTable } from '../format/table.ts';
import type { Terminal } from '../terminal.ts';
import type { Body } from './bodies.ts';
import type { DryRunner } from './dry-runner.ts';
import { HttpTarget } from './http-target.ts';
import { printSamples } from './report-samples.ts';
import type { Span } from './span.ts';
import { summaryLines } from './summary.ts';
import { TargetFiles } from './target-files.ts';

/** Rows of one table on a terminal: the summary behind it must stay in sight. A pipe gets all. */
const MAX_TERMINAL_ROWS = 40;

const NUMBERS: readonly Column[] = [
  { head: 'events', align: 'right' },
  { head: 'bytes', align: 'right' },
  { head: 'first' },
  { head: 'last' },
];

/** Prints what a dry run found: samples, tags, files and a summary. */
export function printReport(
  runner: DryRunner,
  bodies: readonly Body[],
  { terminal, seconds }: { terminal: Terminal; seconds: number },
): void {
  printSamples(runner.samples, bodies, terminal);
  printTags(runner, terminal);
  for (const sink of runner.sinks) if (sink instanceof TargetFiles) printFiles(sink, terminal);
  printHttp(runner, terminal);
  for (const line of summaryLines(runner, seconds)) terminal.stdout.write(`${line}\n`);
}

function printTags({ tags }: DryRunner, terminal: Terminal): void {
  const instants = new Instants();
  const all = [...tags.tags.values()].sort(largestFirst);
  if (all.length === 0) return;
  const shown = limited(all, terminal);
  const rows = shown.map((count) => [
    count.tag,
    ...numbers(count, instants),
    count.sinks.length === 0 ? 'none' : count.sinks.join(', '),
  ]);
  if (tags.others.events > 0) rows.push(['other tags', ...numbers(tags.others, instants), '']);
  terminal.stdout.write(formatTable([{ head: 'tag' }, ...NUMBERS, { head: 'sinks' }], rows, terminal));
  terminal.stdout.write(`${leftOut(all, shown, 'tag')}\n`);
}

function printFiles(sink: TargetFiles, terminal: Terminal): void {
  const { config, directory, files, others } = sink;
  const all = [...files.values()];
  if (all.length === 0) return;
  const instants = new Instants(config.timezone);
  const shown = limited(all.toSorted(largestFirst), terminal).toSorted((one, other) =>
    one.path < other.path ? -1 : 1,
  );
  const base = directory === '/' ? '/' : `${directory}/`;
  const rows = shown.map((file) => [file.path.slice(base.length), ...numbers(file, instants)]);
  if (others.events > 0) rows.push(['other files', ...numbers(others, instants)]);
  terminal.stdout.write(formatTable([{ head: `${config.name} in ${base}` }, ...NUMBERS], rows, terminal));
  terminal.stdout.write(`${leftOut(all, shown, 'file')}\n`);
}

function printHttp({ sinks }: DryRunner, terminal: Terminal): void {
  const targets = sinks.filter((sink) => sink instanceof HttpTarget).filter(({ events }) => events > 0);
  if (targets.length === 0) return;
  const instants = new Instants();
  const rows = targets.map((target) => {
    return [`http ${target.config.name}`, ...numbers(target, instants), target.origin];
  });
  terminal.stdout.write(`${formatTable([{ head: 'HTTP sink' }, ...NUMBERS, { head: 'to' }], rows, terminal)}\n`);
}

function numbers(span: Span, instants: Instants): string[] {
  const { events, bytes, firstTime, lastTime } = span;
  const times =
    firstTime === undefined || lastTime === undefined
      ? ['on arrival', '']
      : [instants.format(firstTime), instants.formatEnd(firstTime, lastTime)];
  return [formatCount(events), formatBytes(bytes), ...times];
}

function limited<T>(largest: readonly T[], { stdout }: Terminal): readonly T[] {
  return stdout.isTTY === true ? largest.slice(0, MAX_TERMINAL_ROWS) : largest;
}

function leftOut(all: readonly Span[], shown: readonly Span[], noun: string): string {
  const count = all.length - shown.length;
  if (count === 0) return '';
  const sum = (spans: readonly Span[]) => spans.reduce((total, { events }) => total + events, 0);
  const events = counted(sum(all) - sum(shown), 'event');
  return `and ${counted(count, `smaller ${noun}`)} with ${events}; | less or --json shows all\n`;
}

function largestFirst(one: Span, other: Span): number {
  return other.bytes - one.bytes;
}
