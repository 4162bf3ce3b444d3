import { type RubyValue, rubyStrings, runRuby } from './ruby-expression.ts';

/** A field of the record that is a copy of another: `namespace` of `objectRef.namespace`, with a text where there is none. */
export interface FieldAlias {
  readonly path: string;
  /** What stands where the event has no such field; undefined for nothing. */
  readonly fallback: string | undefined;
}

const PROBE = 'a-value-that-stands-nowhere-else';
const MAX_PATHS = 64;

/**
 * Finds out which field an expression of record_transformer gives, by running it on records that have it and on records
 * that lack it or what holds it. Undefined when it gives anything else.
 */
export function fieldAlias(value: string): FieldAlias | undefined {
  const code = /^\$\{(.+)\}$/s.exec(value)?.[1];
  if (code === undefined || !code.includes('record')) return undefined;
  for (const path of candidates(code)) {
    if (runRuby(code, nested(path, PROBE)) !== PROBE) continue;
    const fallbacks = path.map((_, depth) => runRuby(code, nested(path.slice(0, depth), undefined)));
    const [fallback, ...others] = fallbacks.map((given) => (given === null || given === '' ? undefined : given));
    if (typeof fallback === 'object' || typeof fallback === 'boolean') continue;
    // Where Ruby raises an error, record_transformer leaves the field out.
    if (others.some((other) => other !== fallback && other !== undefined)) continue;
    return {
      path: fieldPath(path),
      fallback: fallback ?? (others.find((other) => other !== undefined) as string | undefined),
    };
  }
  return undefined;
}

/** A field path of auditail for these keys. */
export function fieldPath(keys: readonly string[]): string {
  if (keys.every((key) => /^[^\s.[\]'"$]+$/.test(key))) return keys.join('.');
  return `$${keys.map((key) => `['${key}']`).join('')}`;
}

/** Runs of string literals in the order of the code, the longest first. */
function candidates(code: string): string[][] {
  const texts = rubyStrings(code);
  const paths: string[][] = [];
  for (let length = Math.min(texts.length, 4); length > 0; length -= 1) {
    for (let start = 0; start + length <= texts.length; start += 1) paths.push(texts.slice(start, start + length));
  }
  return paths.slice(0, MAX_PATHS);
}

function nested(path: readonly string[], leaf: string | undefined): RubyValue {
  let value: RubyValue | undefined = leaf;
  for (const key of path.toReversed()) value = value === undefined ? { [key]: {} } : { [key]: value };
  return value ?? {};
}
