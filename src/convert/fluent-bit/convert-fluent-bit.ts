import { parseTagTemplate } from '../../route/tag-template.ts';
import { chooseMatch } from '../choose-match.ts';
import type { Context } from '../context.ts';
import { type Converted, DROPPED, joinRules, type TagRules, uniqueName } from '../conversion.ts';
import type { DraftSink } from '../draft.ts';
import { MappingBuilder } from '../mapping-builder.ts';
import { WHOLE_TAG } from '../placeholders.ts';
import type { Section } from '../section.ts';
import { ANY, sampleParts } from '../tag-samples.ts';
import { type BitFilter, readFilters } from './filters.ts';
import { BIT_OUTPUTS } from './outputs.ts';
import { readTagPattern } from './tag-match.ts';
import { type BitSource, readTailInput } from './tail-input.ts';

/** Translates a configuration of Fluent Bit, in which every output that matches gets an event, as here. */
export function convertFluentBit(config: Section, context: Context): Converted {
  const { findings } = context;
  for (const param of config.params) findings.warn(param, `${param.key} stands outside of any section`);
  const sources: BitSource[] = [];
  for (const section of config.sections) {
    if (section.name === 'service') findings.noteAll(section, '[SERVICE] concerns the process of Fluent Bit');
    else if (section.name === 'input' && section.type === 'tail') sources.push(...readTailInput(section, context));
    else if (section.name === 'input')
      findings.warnAll(section, `the input ${section.type} has no counterpart here; only tail has`);
    else if (!['filter', 'output'].includes(section.name)) {
      findings.warnAll(section, `[${section.name.toUpperCase()}] has no counterpart here`);
    }
  }
  const outputs = config.sections.filter(({ name }) => name === 'output');
  const patterns = outputs.map((section) => readTagPattern(section, findings));
  const filters = readFilters(config, context);
  const parts = sampleParts([...patterns, ...filters].map(({ pattern }) => pattern ?? ''));
  const groups = [...new Set(sources.map(({ tag }) => tag))].map((tag) => tagRules(tag, filters));
  const tags = sampleTags(groups, parts);
  const used = new Set<string>();
  const sinks: DraftSink[] = [];
  for (const [index, section] of outputs.entries()) {
    const plugin = BIT_OUTPUTS[section.type];
    if (section.type === 'null') findings.noteAll(section, 'what no sink matches goes nowhere');
    else if (plugin === undefined)
      findings.warnAll(section, `the output ${section.type} has no counterpart here; what it took goes nowhere`);
    else {
      const { pattern, matches: written } = patterns[index]!;
      const matches = (tag: string) => written(tag) && !tag.startsWith(`${DROPPED}.`);
      const wanted = new Set(tags.filter(matches));
      const unwanted = new Set(tags.filter((tag) => !matches(tag)));
      const { match, wrong } = chooseMatch(pattern, [`${DROPPED}.**`], wanted, unwanted);
      if (wrong !== undefined)
        findings.warn(section, `events of the tag ${wrong.replaceAll(ANY, '*')} go another way in Fluent Bit`);
      if (wanted.size === 0 && tags.length > 0)
        findings.warn(section, 'no source that could be converted has events for it');
      const keys = new MappingBuilder();
      keys
        .set('name', uniqueName(section.text('alias') ?? plugin.name, used), section.place)
        .set('type', plugin.type)
        .set('match', match);
      plugin.translate({ section, context, keys, view: WHOLE_TAG, timeKey: undefined });
      addFields(keys, plugin.type, filters, wanted, tags, context);
      sinks.push({ keys });
    }
  }
  findings.sweep(config);
  const names = new Set<string>();
  const named = sources.map(({ tag, keys, section }) => {
    const name = uniqueName(section.text('alias') ?? 'apiserver', names);
    return { name, tag, keys: keys.named(name) };
  });
  return { sources: named, ...joinRules(groups), sinks };
}

/** The first rule that matches gives the tag, as in the filter; what no rule takes keeps its own. */
function tagRules(tag: string, filters: readonly BitFilter[]): TagRules {
  const rules = filters.filter(({ matches }) => matches(tag)).flatMap((filter) => filter.rules);
  return { tag, rules: rules.map((rule) => ({ ...rule, match: tag })), missing: '${tag}' };
}

function sampleTags(groups: readonly TagRules[], parts: readonly string[]): string[] {
  const tags = groups.flatMap(({ tag, rules }) => {
    const given = rules.flatMap((rule) => {
      const template = parseTagTemplate(rule.tag, { captures: true });
      return (template.maxCapture === 0 ? [''] : parts).map((part) =>
        template.render(tag, Array<string>(9).fill(part)),
      );
    });
    return [tag, ...given];
  });
  return [...new Set(tags)];
}

/** Fields of modify and record_modifier, for sinks that get only events that pass it. */
function addFields(
  keys: MappingBuilder,
  type: 'file' | 'http',
  filters: readonly BitFilter[],
  wanted: ReadonlySet<string>,
  tags: readonly string[],
  { findings }: Context,
): void {
  for (const { added, matches } of filters) {
    const passes = [...wanted].some(matches);
    if (!passes && tags.length > 0) continue;
    for (const { name, value, param } of added) {
      if (type === 'file') findings.warn(param, `${name}: lines of the archive are not changed, so it is not in them`);
      else if ([...wanted].every(matches)) keys.set(['add', name], value, param.place);
      else findings.warn(param, `${name}: only some events of a sink had it, and it is not added to them`);
    }
  }
}
