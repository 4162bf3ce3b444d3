import { CONFIG_SCHEMA } from './schema.ts';
import type { FileSinkConfig, HttpSinkConfig, RewriteRule, SourceConfig } from './types.ts';

export interface Entry<T> {
  /** Place in its list. */
  readonly index: number;
  readonly value: T;
}

/**
 * Those parts of a configuration that are right by themselves. Checks that concern several keys run on these, so that
 * they find their errors also while other keys are wrong.
 */
export interface ValidParts {
  readonly stateDir: string | undefined;
  readonly memoryLimit: number | undefined;
  readonly sources: readonly Entry<SourceConfig>[];
  readonly rewrite: readonly Entry<RewriteRule>[];
  readonly rewriteMissing: string | undefined;
  readonly fileSinks: readonly Entry<FileSinkConfig>[];
  readonly httpSinks: readonly Entry<HttpSinkConfig>[];
  /** Sinks in the list, right or wrong. */
  readonly sinkCount: number;
}

export function validParts(value: unknown): ValidParts {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const shape = CONFIG_SCHEMA.shape;
  const sinks = validEntries(given.sinks, (list) => shape.sinks.safeParse(list).data);
  return {
    stateDir: shape.state_dir.safeParse(given.state_dir).data,
    memoryLimit: shape.memory_limit.safeParse(given.memory_limit).data,
    sources: validEntries(given.sources, (list) => shape.sources.safeParse(list).data),
    rewrite: validEntries(given.rewrite, (list) => shape.rewrite.safeParse(list).data),
    rewriteMissing: shape.rewrite_missing.safeParse(given.rewrite_missing).data,
    fileSinks: sinks.filter((entry): entry is Entry<FileSinkConfig> => entry.value.type === 'file'),
    httpSinks: sinks.filter((entry): entry is Entry<HttpSinkConfig> => entry.value.type === 'http'),
    sinkCount: Array.isArray(given.sinks) ? given.sinks.length : sinks.length,
  };
}

/** Each entry is tried as a list of one; an absent list is its default. */
function validEntries<T>(given: unknown, parse: (list: unknown) => readonly T[] | undefined): Entry<T>[] {
  if (!Array.isArray(given)) return (parse(given) ?? []).map((value, index) => ({ index, value }));
  return given.flatMap((element, index) => (parse([element]) ?? []).map((value) => ({ index, value })));
}
