import { describeError } from '../../errors.ts';
import type { Body } from './bodies.ts';
import type { DryRunner, Target } from './dry-runner.ts';
import { HttpTarget } from './http-target.ts';
import type { Sample } from './samples.ts';
import type { Span } from './span.ts';

/**
 * What a dry run found, for programs. The keys are stable: they are described in docs/dry-run.md, and new ones may be
 * added. Times are RFC 3339 in UTC, or null where nothing had a time of its own.
 */
export function jsonReport(runner: DryRunner, bodies: readonly Body[]): Record<string, unknown> {
  const { source, inputs, events, tags, problems, sinks, samples } = runner;
  return {
    source: { name: source.name, tag: source.tag },
    inputs: inputs.map(({ name, bytes, lines, unterminated, error }) => ({
      name,
      bytes,
      lines,
      unterminated,
      error: error === undefined ? null : describeError(error),
    })),
    totals: {
      input_bytes: inputs.reduce((sum, { bytes }) => sum + bytes, 0),
      lines: inputs.reduce((sum, { lines }) => sum + lines, 0),
      ...span(events),
      blank_lines: runner.blankLines,
      torn_lines: problems.counts.torn,
      oversize_lines: problems.counts.oversize,
      unparsable_lines: problems.counts.unparsable,
      text_lines: runner.textLines,
      other_stream_lines: runner.otherStreamLines,
      null_bytes: runner.nullBytes,
      unrouted: span(tags.unrouted),
    },
    tags: [...tags.tags.values()]
      .sort((one, other) => other.bytes - one.bytes || compare(one.tag, other.tag))
      .map((count) => ({ tag: count.tag, ...span(count), sinks: count.sinks })),
    other_tags: span(tags.others),
    sinks: sinks.map(sinkFacts),
    problems: problems.first,
    problems_omitted: problems.omitted,
    samples: [...samples.byTag.values()].flat().map(sampleFacts),
    samples_omitted: samples.omitted,
    bodies: bodies.map(({ tag, sink, events: count, text }) => {
      return { tag, sink: sink.config.name, events: count, content: text };
    }),
  };
}

function sinkFacts(sink: Target): Record<string, unknown> {
  if (sink instanceof HttpTarget) {
    const { config, origin, skipped, stubs } = sink;
    const { name, type, format, compress } = config;
    return { name, type, format, origin, compress, ...span(sink), stubs, skipped: span(skipped) };
  }
  const { config, directory, files, others, overflow } = sink;
  return {
    name: config.name,
    type: config.type,
    directory,
    timezone: config.timezone,
    compress: config.compress,
    files: [...files.values()]
      .sort((one, other) => compare(one.path, other.path))
      .map((file) => ({ path: file.path, ...span(file) })),
    other_files: span(others),
    overflow: span(overflow),
  };
}

function span({ events, bytes, firstTime, lastTime }: Span): Record<string, unknown> {
  return { events, bytes, first_time: isoTime(firstTime), last_time: isoTime(lastTime) };
}

/** A line that is no valid UTF-8 would not survive as JSON text. */
function sampleFacts({ event, line, targets }: Sample): Record<string, unknown> {
  const { tag, path: file, content } = event;
  const text = content?.toString('utf8');
  const isText = content !== undefined && Buffer.from(text!).equals(content);
  return {
    tag,
    file,
    line,
    targets: targets.map(({ sink, path, http }) =>
      http === undefined ? { sink, path } : { sink, origin: http.origin },
    ),
    content: isText ? text : null,
    content_base64: isText || content === undefined ? null : content.toString('base64'),
  };
}

function isoTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}

/** By code units, the same everywhere. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
