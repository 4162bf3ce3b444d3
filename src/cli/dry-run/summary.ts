import { Instants } from '../format/instants.ts';
import { counted, formatBytes, formatCount } from '../format/quantity.ts';
import { type DryRunner, MAX_NAMES } from './dry-runner.ts';
import { HttpTarget } from './http-target.ts';
import type { TargetFiles } from './target-files.ts';

/** The totals, a line each. */
export function summaryLines(runner: DryRunner, seconds: number): string[] {
  const { inputs, events, tags, problems, source, sinks } = runner;
  const bytes = inputs.reduce((sum, input) => sum + input.bytes, 0);
  const lines = inputs.reduce((sum, input) => sum + input.lines, 0);
  const rate = bytes > 0 && seconds > 0 ? ` (${formatBytes(bytes / seconds)}/s)` : '';
  const rows: [string, string][] = [
    [
      'read',
      `${counted(inputs.length, 'input')}, ${formatBytes(bytes)}, ${counted(lines, 'line')}, in ${seconds.toFixed(1)} s${rate}`,
    ],
    [
      'events',
      `${formatCount(events.events)}${during(runner)}${events.events === 0 ? '' : `, as source ${source.name}`}`,
    ],
  ];
  const others = [
    ...told(problems.counts.unparsable, 'unparsable'),
    ...told(problems.counts.torn, 'torn'),
    ...told(problems.counts.oversize, 'oversize'),
    ...told(runner.textLines, 'other text'),
    ...told(runner.otherStreamLines, 'of the other stream'),
    ...told(runner.blankLines, 'blank'),
  ];
  if (others.length > 0) rows.push(['other lines', others.join(', ')]);
  if (runner.nullBytes > 0) rows.push(['NUL bytes', `${formatCount(runner.nullBytes)} skipped`]);
  const open = inputs.filter(({ unterminated, error }) => unterminated && error === undefined).length;
  if (open > 0) {
    rows.push([
      'open end',
      `${counted(open, 'input')} without a newline at the end: the agent waits for it in a live log`,
    ]);
  }
  if (tags.unrouted.events > 0) {
    rows.push(['unrouted', `${counted(tags.unrouted.events, 'event')} that no sink matches: they go nowhere`]);
  }
  for (const sink of sinks) rows.push(...(sink instanceof HttpTarget ? httpRows(sink) : fileRows(sink)));
  const isMore = sinks.some((sink) => !(sink instanceof HttpTarget) && sink.others.events > 0);
  if (tags.others.events > 0 || isMore) {
    rows.push(['', `the first ${formatCount(MAX_NAMES)} tags and files are told apart, others are counted together`]);
  }
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`);
}

function fileRows({ config, files, others: rest, overflow }: TargetFiles): [string, string][] {
  const all = [...files.values(), rest];
  const count = all.reduce((sum, file) => sum + file.events, 0);
  const size = all.reduce((sum, file) => sum + file.bytes, 0);
  const known = `${rest.events > 0 ? 'more than ' : ''}${counted(files.size, 'file')}`;
  const compressed = config.compress === 'none' ? '' : ` before ${config.compress}`;
  const rows: [string, string][] = [
    [config.name, `${counted(count, 'event')}, ${formatBytes(size)}${compressed}, in ${known}`],
  ];
  if (overflow.events > 0) {
    rows.push([
      '',
      `${counted(overflow.events, 'event')} of them in overflow files: more than ${formatCount(config.maxTags)} tags (max_tags) at a time`,
    ]);
  }
  return rows;
}

function httpRows({ config, events, bytes, origin, skipped, stubs }: HttpTarget): [string, string][] {
  const rows: [string, string][] = [
    [
      config.name,
      `${counted(events, 'event')}, ${formatBytes(bytes)} as they were read, to ${origin} (${config.format})`,
    ],
  ];
  if (stubs > 0) rows.push(['', `${formatCount(stubs)} of them in place of oversize lines, which are not sent`]);
  if (skipped.events > 0) {
    rows.push(['', `${counted(skipped.events, 'further line')} left out as no events (unparsed: skip)`]);
  }
  return rows;
}

function during({ events }: DryRunner): string {
  const { firstTime, lastTime } = events;
  if (firstTime === undefined || lastTime === undefined) return '';
  const instants = new Instants();
  return `, ${instants.format(firstTime)} to ${instants.formatEnd(firstTime, lastTime)}`;
}

function told(count: number, what: string): string[] {
  return count === 0 ? [] : [`${formatCount(count)} ${what}`];
}
