import { parseTagTemplate } from '../../route/tag-template.ts';
import type { Context } from '../context.ts';
import { DROPPED } from '../conversion.ts';
import type { DraftRule } from '../draft.ts';
import { type Delivery, explore, type Passage, type Retagging } from './explore.ts';
import type { Element, Pipeline, Scope } from './pipeline.ts';
import { type RetagRule, readRetagRules } from './rewrite-rules.ts';
import type { Transformations } from './transformations.ts';

/** One way that an event of a source can go: the tag that it has here, and where it comes to. */
export interface Outcome {
  readonly tag: string;
  readonly deliveries: readonly Delivery[];
}

export interface Routes {
  readonly outcomes: readonly Outcome[];
  readonly rules: readonly DraftRule[];
  readonly missing: string;
  readonly passages: readonly Passage[];
}

const EVERYTHING = ['a', '-_ .', '\u00e4\n', '0'];

/** All ways of the events of a source: rewriting is done once here, so the first rewrite_tag_filter makes the tag. */
export function routesOf(
  pipeline: Pipeline,
  start: { readonly scope: Scope; readonly tag: string },
  parts: readonly string[],
  transformations: Transformations,
  context: Context,
): Routes {
  const passage = explore(pipeline, start.scope, start.tag);
  const passages = [passage];
  const [first, ...further] = passage.retaggings;
  for (const { section } of further) {
    context.findings.warn(
      section,
      'an event has one tag here, and another rewrite_tag_filter makes it; these rules are left out',
    );
  }
  if (first === undefined) {
    return { outcomes: [{ tag: start.tag, deliveries: passage.deliveries }], rules: [], missing: '${tag}', passages };
  }
  const { rules, missing, ways } = rulesOf(first, start.tag, pipeline, transformations, context);
  const outcomes: Outcome[] = [];
  const go = (tag: string, scope: Scope | undefined): void => {
    const next = scope === undefined ? undefined : follow(pipeline, scope, tag, first, context, passages);
    outcomes.push({ tag, deliveries: [...passage.deliveries, ...(next ?? [])] });
  };
  for (const { template, scope } of ways) {
    const parsed = parseTagTemplate(template, { captures: true });
    const values = parsed.maxCapture === 0 ? [''] : parts;
    for (const value of values) go(parsed.render(start.tag, Array<string>(9).fill(value)), scope);
  }
  if (missing.startsWith(DROPPED)) go(`${DROPPED}.${start.tag}`, undefined);
  return { outcomes, rules, missing, passages };
}

interface Way {
  readonly template: string;
  readonly scope: Scope;
}

function rulesOf(
  { section, filters, scope }: Retagging,
  tag: string,
  pipeline: Pipeline,
  transformations: Transformations,
  context: Context,
): { rules: DraftRule[]; missing: string; ways: Way[] } {
  const written = readRetagRules(section, transformations.aliases(filters), context);
  const rules: DraftRule[] = [];
  const ways: Way[] = [];
  let missing = `${DROPPED}.\${tag}`;
  for (const [index, rule] of written.entries()) {
    const way = { scope: rule.label === undefined ? scope : (pipeline.labels.get(rule.label) ?? []) };
    rules.push({
      match: tag,
      key: rule.key,
      pattern: rule.pattern,
      tag: rule.tag,
      invert: rule.invert,
      place: rule.place,
    });
    ways.push({ ...way, template: rule.tag });
    const fallback = fallbackTag(rule);
    if (fallback === undefined) continue;
    ways.push({ ...way, template: fallback });
    if (index === written.length - 1 && takesEverything(rule)) missing = fallback;
    // With invert it takes what has no text at all.
    else rules.push({ match: tag, key: rule.key, pattern: '.', tag: fallback, invert: true, place: rule.place });
  }
  return { rules, missing, ways };
}

/** The tag of events without the field, where a record_transformer gave them a text in its place. */
function fallbackTag({ fallback, pattern, tag, invert }: RetagRule): string | undefined {
  if (fallback === undefined) return undefined;
  const match = new RegExp(pattern, 's').exec(fallback);
  if ((match === null) !== invert) return undefined;
  return tag.replaceAll(/\$([1-9])/g, (_, group: string) => match?.[Number(group)] ?? '');
}

function takesEverything({ pattern, invert }: RetagRule): boolean {
  return !invert && EVERYTHING.every((text) => new RegExp(pattern, 's').test(text));
}

/** Where events go on with their new tag. A second rewriting is passed over: the sinks behind it get the first one's tag. */
function follow(
  pipeline: Pipeline,
  scope: Scope,
  tag: string,
  first: Retagging,
  context: Context,
  passages: Passage[],
  depth = 0,
): Delivery[] {
  const passage = explore(pipeline, scope, tag, first.filters);
  passages.push(passage);
  const deliveries = [...passage.deliveries];
  for (const again of passage.retaggings) {
    const loops = again.section === first.section;
    context.findings.warn(
      again.section,
      loops
        ? 'its events come back to it without end; let its <match> not match the tags that it gives'
        : 'a tag is rewritten once here; what comes behind this one gets the tag of the first',
    );
    if (loops || depth > 3) continue;
    for (const rule of readRetagRules(again.section, new Map(), context)) {
      const parsed = parseTagTemplate(rule.tag, { captures: true });
      const next = parsed.render(tag, Array<string>(9).fill('x0any'));
      const target = rule.label === undefined ? again.scope : (pipeline.labels.get(rule.label) ?? []);
      deliveries.push(...follow(pipeline, target, next, again, context, passages, depth + 1));
    }
  }
  return deliveries;
}

/** The filters that every event passes that comes to any output. */
export function commonFilters(outcomes: readonly Outcome[]): Element[] {
  const all = outcomes.flatMap(({ deliveries }) => deliveries);
  return (all[0]?.filters ?? []).filter((filter) => all.every(({ filters }) => filters.includes(filter)));
}
