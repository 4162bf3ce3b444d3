import type { Context } from '../context.ts';
import { translatePlaceholders, WHOLE_TAG } from '../placeholders.ts';
import type { Param, Section } from '../section.ts';
import { applySettings } from '../settings.ts';
import { truth } from '../values.ts';
import { type FieldAlias, fieldAlias } from './field-alias.ts';

/** What a `record_transformer` (or `record_modifier`) does, as far as it can be done here. */
export interface Transformation {
  /** Copies of other fields, by name: rules look at the originals. */
  readonly aliases: ReadonlyMap<string, FieldAlias & { readonly param: Param }>;
  /** Values that HTTP sinks can add. */
  readonly added: ReadonlyMap<string, { readonly value: string; readonly param: Param }>;
  readonly removed: ReadonlyMap<string, Param>;
}

const CHANGED = 'events are sent as they were read; nothing is taken out of them or changed in them';

/** Reads a section, and says what of it has no counterpart. What becomes of aliases and added fields is said later. */
export function readTransformer(section: Section, context: Context): Transformation {
  const { findings } = context;
  const aliases = new Map<string, FieldAlias & { param: Param }>();
  const added = new Map<string, { value: string; param: Param }>();
  const removed = new Map<string, Param>();
  const record = (fields: Section) => {
    for (const param of fields.params) {
      const alias = fieldAlias(param.value);
      const value = alias === undefined ? addedValue(param, context) : undefined;
      if (alias !== undefined) aliases.set(param.key, { ...alias, param });
      else if (value !== undefined) added.set(param.key, { value, param });
      if (alias !== undefined || value !== undefined) findings.translated(param);
    }
  };
  applySettings(
    section,
    section.type,
    {
      '@type': undefined,
      type: undefined,
      '@id': { note: 'it names the plugin in what fluentd logs' },
      id: { note: 'it names the plugin in what fluentd logs' },
      '@log_level': { note: 'it concerns what fluentd logs' },
      enable_ruby: { note: 'no Ruby runs here; expressions that only look a field up are translated' },
      auto_typecast: { note: 'fields that are added are text' },
      remove_keys: (param) => {
        for (const key of param.value.split(',')) removed.set(key.trim(), param);
      },
      keep_keys: { warn: CHANGED },
      renew_record: ({ value }) => (truth(value) === true ? { warn: CHANGED } : undefined),
      renew_time_key: { warn: 'the time of an event is its stageTimestamp; see time of the file sinks' },
    },
    { record },
    findings,
  );
  return { aliases, added, removed };
}

function addedValue(param: Param, { findings }: Context): string | undefined {
  const problems: string[] = [];
  const value = translatePlaceholders(param.value, {
    view: WHOLE_TAG,
    host: '${node}',
    time: '${time}',
    complain: (message) => problems.push(message),
  });
  if (problems.length === 0) return value;
  findings.warn(param, `the field ${param.key} is not added: nothing here works out its value`);
  return undefined;
}
