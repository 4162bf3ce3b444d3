import { z } from 'zod';
import type { IssuePath } from './config-error.ts';
import { valueAt } from './found-value.ts';
import { CONFIG_SCHEMA } from './schema.ts';

/** The part of JSON Schema that zod writes for our schema and that its readers here use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly 'x-default'?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
}

/** The JSON Schema (draft 7, which editors' YAML plugins know) of a configuration as it is written. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(CONFIG_SCHEMA, { io: 'input', target: 'draft-7', reused: 'inline' }) as JsonSchema;
}

/** The keys that the mapping at `path` of `value` may have; for a sink, those of its type. */
export function knownKeys(path: IssuePath, value: unknown): string[] {
  let nodes: readonly JsonSchema[] = [configJsonSchema()];
  for (const [depth, step] of path.entries()) {
    const type = valueAt(value, [...path.slice(0, depth + 1), 'type']);
    nodes = nodes.flatMap((node) => {
      const child = typeof step === 'number' ? node.items : node.properties?.[step];
      return child === undefined ? [] : alternatives(child, type);
    });
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** Those that take a mapping with this `type`, or all where none of them asks for one. */
function alternatives(node: JsonSchema, type: unknown): readonly JsonSchema[] {
  const all = node.oneOf ?? node.anyOf ?? [node];
  const fitting = all.filter(({ properties }) => properties?.type?.const === type);
  return fitting.length > 0 ? fitting : all;
}
