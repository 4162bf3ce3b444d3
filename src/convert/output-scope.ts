import type { Context } from './context.ts';
import type { MappingBuilder } from './mapping-builder.ts';
import { type TagView, translatePlaceholders } from './placeholders.ts';
import type { Param, Section } from './section.ts';
import { each, type Fate, type Settings } from './settings.ts';
import { durationWithin, jsonObject, milliseconds, sizeWithin } from './values.ts';

/** What an output is translated with. */
export interface OutputScope {
  readonly section: Section;
  readonly context: Context;
  /** Of the sink. */
  readonly keys: MappingBuilder;
  readonly view: TagView;
  /** Whether the sink's templates may speak of the tag. */
  readonly timeKey: Param | undefined;
}

type Scale = (text: string) => number | undefined;
interface Range {
  readonly min: number;
  readonly max: number;
}

/** The parameter's value as the key's. */
export function as({ keys }: OutputScope, key: string | readonly string[]): (param: Param) => Fate {
  return ({ value, place }) => void keys.set(key, value, place);
}

export function asDuration({ keys }: OutputScope, key: string, range: Range): (param: Param) => Fate {
  return ({ value, place }) => {
    const ms = milliseconds(value);
    if (ms === undefined) return { warn: `a time was expected, and ${key} stays as it is` };
    keys.set(key, durationWithin(ms, range), place);
  };
}

export function asSize({ keys }: OutputScope, key: string, range: Range, scale: Scale): (param: Param) => Fate {
  return ({ value, place }) => {
    const bytes = scale(value);
    if (bytes === undefined) return { warn: `a size was expected, and ${key} stays as it is` };
    keys.set(key, sizeWithin(bytes, range), place);
    if (bytes > range.max) return { note: `${sizeWithin(bytes, range)} is set, so that it fits into memory_limit` };
  };
}

export function asCount({ keys }: OutputScope, key: string, range: Range): (param: Param) => Fate {
  return ({ value, place }) => {
    if (!/^\d+$/.test(value)) return { warn: `a number was expected, and ${key} stays as it is` };
    keys.set(key, Math.min(Math.max(Number(value), range.min), range.max), place);
  };
}

/** Headers that stand in a JSON object. */
export function asHeaders({ keys }: OutputScope): (param: Param) => Fate {
  return ({ value, place }) => {
    const members = jsonObject(value);
    if (members === undefined) return { warn: 'a JSON object was expected' };
    for (const [name, text] of members) keys.set(['headers', name], String(text), place);
    return undefined;
  };
}

/** A template of a sink: for paths and indexes the name of this host is written in, other templates have `${node}`. */
export function template(scope: OutputScope, param: Param, kind: 'name' | 'event'): string {
  const { findings, hostname } = scope.context;
  if (kind === 'name' && /\$\{hostname\}|__HOSTNAME__/.test(param.value)) {
    findings.warn(param, `${param.key}: the name of this host, ${hostname}, is written in; another host needs its own`);
  }
  return translatePlaceholders(param.value, {
    view: scope.view,
    host: kind === 'name' ? hostname : '${node}',
    ...(kind === 'name' ? {} : { time: '${time}' }),
    complain: (message) => findings.warn(param, `${param.key}: ${message}`),
  });
}

/** What every output plugin of fluentd has. */
export const COMMON: Settings = {
  '@type': undefined,
  type: undefined,
  '@id': { note: 'it names the plugin in what fluentd logs' },
  id: { note: 'it names the plugin in what fluentd logs' },
  ...each(['@log_level', 'log_level', 'slow_flush_log_threshold'], { note: 'it concerns what fluentd logs' }),
  '@label': { warn: 'this output passes nothing on' },
};
