import { z } from 'zod';
import type { IssuePath } from './config-error.ts';
import { CONFIG_SCHEMA } from './schema.ts';

/** The part of JSON Schema that zod writes for our schema and that its readers here use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
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

/** The keys that the mapping at `path` may have; for a sink, those of all its types. */
export function knownKeys(path: IssuePath): string[] {
  let nodes: readonly JsonSchema[] = [configJsonSchema()];
  for (const step of path) {
    nodes = nodes.flatMap((node) => {
      const child = typeof step === 'number' ? node.items : node.properties?.[step];
      return child === undefined ? [] : alternatives(child);
    });
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function alternatives(node: JsonSchema): readonly JsonSchema[] {
  return node.oneOf ?? node.anyOf ?? [node];
}
