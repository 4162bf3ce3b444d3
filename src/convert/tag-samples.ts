/** Stands for any text that no pattern names. */
export const ANY = 'x0any';

const MAX_SAMPLES = 200;

/**
 * Parts of tags that stand for all that a value could become: every literal of the patterns, and one that none of them
 * names. Patterns that agree on tags made of these agree on all tags, as far as whole parts are concerned.
 */
export function sampleParts(patterns: readonly string[]): string[] {
  const parts = patterns.flatMap((pattern) => pattern.split(/[.{},\s]+/)).filter((part) => part !== '');
  const literal = parts.map((part) => part.replaceAll(/\*+/g, ANY).replaceAll(/[^A-Za-z0-9_-]/g, ''));
  return [...new Set([ANY, ...literal.filter((part) => part !== '')])].slice(0, MAX_SAMPLES);
}
