import type { Findings } from '../findings.ts';
import type { Section } from '../section.ts';

export interface BitPattern {
  /** In auditail's terms; undefined for a regular expression. */
  readonly pattern: string | undefined;
  readonly matches: (tag: string) => boolean;
}

/** `Match` and `Match_Regex` of a section. In Fluent Bit a `*` is any text, dots and all. */
export function readTagPattern(section: Section, findings: Findings): BitPattern {
  const match = section.param('match');
  const expression = section.param('match_regex');
  findings.translated(match, expression);
  if (match === undefined && expression !== undefined) {
    const regexp = regexpOf(expression.value);
    if (regexp !== undefined) return { pattern: undefined, matches: (tag) => regexp.test(tag) };
    findings.warn(expression, 'this regular expression is not known here; every tag is taken');
    return { pattern: '**', matches: () => true };
  }
  if (match === undefined) {
    findings.warn(section, 'it has no Match, and takes nothing in Fluent Bit');
    return { pattern: undefined, matches: () => false };
  }
  const source = match.value
    .split('*')
    .map((text) => text.replaceAll(/[.\\+?^${}()|[\]]/g, '\\$&'))
    .join('.*');
  const regexp = new RegExp(`^${source}$`);
  const pattern = match.value
    .replaceAll(/[\\{},!]/g, '\\$&')
    .replaceAll(/\*+/g, '**')
    .replace(/\.$/, '');
  return { pattern, matches: (tag) => regexp.test(tag) };
}

function regexpOf(source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}
