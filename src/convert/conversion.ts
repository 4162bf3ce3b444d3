import type { DraftRule, DraftSink } from './draft.ts';
import type { MappingBuilder } from './mapping-builder.ts';

/** The tag of what was dropped, and is to match no sink. */
export const DROPPED = '_dropped';

/** Sources of one tag, and the rules for it. */
export interface TagRules {
  readonly tag: string;
  readonly rules: readonly DraftRule[];
  /** Tag template for what no rule takes. */
  readonly missing: string;
}

/** Rules of all source tags in one list: where the tags do not agree on what is missing, a last rule says it for each. */
export function joinRules(groups: readonly TagRules[]): { rules: DraftRule[]; missing: string } {
  const wanted = new Set(groups.map(({ missing }) => missing));
  if (wanted.size <= 1) return { rules: groups.flatMap(({ rules }) => rules), missing: groups[0]?.missing ?? '${tag}' };
  const rules = groups.flatMap(({ tag, rules: own, missing }) => {
    const last = own.at(-1);
    if (missing === '${tag}' || last === undefined) return own;
    // Nothing matches this pattern, so that with invert everything is taken.
    return [...own, { ...last, match: tag, pattern: '[^\\s\\S]', tag: missing, invert: true }];
  });
  return { rules, missing: '${tag}' };
}

/** Gives a sink or source a name that none has yet. */
export function uniqueName(wanted: string, used: Set<string>): string {
  const base =
    wanted
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 50) || 'converted';
  let name = base;
  for (let number = 2; used.has(name); number += 1) name = `${base}-${number}`;
  used.add(name);
  return name;
}

export interface Converted {
  readonly sources: readonly { readonly name: string; readonly tag: string; readonly keys: MappingBuilder }[];
  readonly rules: readonly DraftRule[];
  readonly missing: string;
  readonly sinks: readonly DraftSink[];
}
