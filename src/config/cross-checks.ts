import path from 'node:path';
import { compilePathTemplate, type PathTemplate } from '../route/path-template.ts';
import { httpSinkProblems } from './http-cross-checks.ts';
import { LIMITS, LINES_IN_MEMORY } from './limits.ts';
import { couldBeRead, literalPrefix } from './path-overlap.ts';
import type { Problem } from './problem.ts';
import { ENDINGS, type FileSinkConfig } from './types.ts';
import { formatSize } from './units.ts';
import type { Entry, ValidParts } from './valid-parts.ts';

/** Checks what concerns several keys at once. */
export function crossProblems(parts: ValidParts): Problem[] {
  return [
    ...repeatedNames('sources', parts.sources),
    ...repeatedNames('sinks', [...parts.fileSinks, ...parts.httpSinks].sort(inListOrder)),
    ...memoryProblems(parts),
    ...streamProblems(parts),
    ...stateProblems(parts),
    ...sinkFileProblems(parts),
    ...parts.fileSinks.flatMap(fileSinkProblems),
    ...httpSinkProblems(parts),
  ];
}

function inListOrder(a: Entry<unknown>, b: Entry<unknown>): number {
  return a.index - b.index;
}

function repeatedNames(list: string, entries: readonly Entry<{ readonly name: string }>[]): Problem[] {
  const first = new Map<string, number>();
  return entries.flatMap(({ index, value: { name } }) => {
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, index);
      return [];
    }
    const message = `the name ${name} belongs to ${list}[${earlier}] already; give each its own`;
    return [{ path: [list, index, 'name'], message, complete: true }];
  });
}

function memoryProblems({ memoryLimit, sources }: ValidParts): Problem[] {
  if (memoryLimit === undefined) return [];
  return sources.flatMap(({ index, value: { maxLineBytes } }) => {
    if (maxLineBytes * LINES_IN_MEMORY <= memoryLimit) return [];
    const message =
      `max_line_bytes may be at most 1/${LINES_IN_MEMORY} of memory_limit (${formatSize(memoryLimit)}), ` +
      `and is ${formatSize(maxLineBytes)}`;
    return [{ path: ['sources', index, 'max_line_bytes'], message, complete: true }];
  });
}

function streamProblems({ sources }: ValidParts): Problem[] {
  const message = 'only the log of a container has streams: set format to cri or docker, or leave stream out';
  return sources
    .filter(({ value: { format, stream } }) => format === 'json' && stream !== undefined)
    .map(({ index }) => ({ path: ['sources', index, 'stream'], message, complete: true, atKey: true }));
}

function stateProblems({ stateDir, sources }: ValidParts): Problem[] {
  if (stateDir === undefined) return [];
  return sources
    .filter(({ value }) => couldBeRead(value.path, stateDir, 'state.sqlite'))
    .map(({ index }) => ({
      path: ['state_dir'],
      message: `the state directory is inside the path of sources[${index}], which would read it`,
      complete: true,
    }));
}

function sinkFileProblems({ sources, fileSinks }: ValidParts): Problem[] {
  const problems: Problem[] = [];
  const earlier = new Map<string, number>();
  for (const { index, value: sink } of fileSinks) {
    const at = { path: ['sinks', index, 'path'], complete: true };
    const template = templateOf(sink);
    if (template === undefined) continue;
    const other = earlier.get(sink.path) ?? earlier.get(template.glob);
    if (other !== undefined) {
      problems.push({
        ...at,
        message: `could write the same files as sinks[${other}]; give each sink paths of its own`,
      });
    } else {
      earlier.set(sink.path, index).set(template.glob, index);
    }
    const reader = sources.find(({ value: source }) => readsFilesOf(source.path, sink, template));
    if (reader !== undefined) {
      problems.push({
        ...at,
        message: `is inside the path of sources[${reader.index}], which would read what this sink writes; use another directory`,
      });
    }
  }
  return problems;
}

/** A template that varies its directory is taken at its fixed part, and may then have any base name. */
function readsFilesOf(source: string, sink: FileSinkConfig, template: PathTemplate): boolean {
  const fixed = path.dirname(sink.path) === template.directory;
  if (path.matchesGlob(source, template.glob)) return true;
  return couldBeRead(source, template.directory, fixed ? literalPrefix(path.basename(sink.path)) : '');
}

/** Undefined for a template that is wrong, which is told by itself. */
function templateOf(sink: FileSinkConfig): PathTemplate | undefined {
  try {
    return compilePathTemplate(sink.path, 'UTC');
  } catch {
    return undefined;
  }
}

function fileSinkProblems({ index, value }: Entry<FileSinkConfig>): Problem[] {
  const { path: template, compress, level, retention } = value;
  const problems: Problem[] = [];
  const ending = Object.values(ENDINGS).find((one) => one !== '' && template.endsWith(one));
  if (ending !== undefined && ending !== ENDINGS[compress]) {
    const message = `ends in ${ending} although compress is ${compress}; give it another ending`;
    problems.push({ path: ['sinks', index, 'path'], message, complete: true });
  }
  const { min, max } = LIMITS.gzipLevel;
  if (compress === 'gzip' && level > max) {
    const message = `expected a whole number from ${min} to ${max} for gzip, found ${level}`;
    problems.push({ path: ['sinks', index, 'level'], message, complete: true });
  }
  if (retention.maxAgeMs !== undefined && retention.maxAgeMs < retention.minKeepMs) {
    const message = 'is shorter than min_keep, which wins; make min_keep shorter or max_age longer';
    problems.push({ path: ['sinks', index, 'retention', 'max_age'], message, complete: true });
  }
  return problems;
}
