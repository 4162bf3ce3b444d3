import type { Context } from '../context.ts';
import { type Converted, DROPPED, joinRules, type TagRules, uniqueName } from '../conversion.ts';
import type { DraftRule, DraftSink } from '../draft.ts';
import type { Section } from '../section.ts';
import { applySettings, each } from '../settings.ts';
import { sampleParts } from '../tag-samples.ts';
import { buildPipeline, type Pipeline } from './pipeline.ts';
import { commonFilters, type Outcome, type Routes, routesOf } from './retagging.ts';
import { sinkOf } from './sink.ts';
import { planSinks } from './sink-plan.ts';
import { readTail, type TailSource } from './tail-source.ts';
import { Transformations } from './transformations.ts';

/**
 * Translates a configuration of fluentd. In fluentd the first `<match>` takes an event, here every sink that matches gets
 * it: so sample events of each source are led through both, and the sinks' patterns are made until both agree.
 */
export function convertFluentd(config: Section, context: Context): Converted {
  const { findings } = context;
  const pipeline = buildPipeline(config, findings);
  const sources = pipeline.sources.flatMap((section) => {
    if (section.type === 'tail') return readTail(section, context);
    findings.warnAll(section, `the source ${section.type || 'without @type'} has no counterpart here; only tail has`);
    return [];
  });
  const transformations = new Transformations(context);
  const scopes = [pipeline.root, ...pipeline.labels.values()];
  const parts = sampleParts(
    scopes.flat().flatMap(({ pattern, section }) => [pattern ?? '', ...section.all('case').map(({ arg }) => arg)]),
  );
  const groups: TagRules[] = [];
  const seen = new Set<string>();
  const outcomes: Outcome[] = [];
  for (const source of distinct(sources)) {
    if (seen.has(source.tag)) {
      const reason = `another source with the tag ${source.tag} goes another way, by its label`;
      findings.warn(source.section, `${reason}: here only the tag says where events go; give one of them another tag`);
    }
    seen.add(source.tag);
    const routes = routesOf(
      pipeline,
      { scope: scopeOf(source, pipeline, context), tag: source.tag },
      parts,
      transformations,
      context,
    );
    for (const { junctions } of routes.passages) for (const one of junctions) accountJunction(one, context);
    const drops = dropRules(source.tag, routes, transformations);
    groups.push({ tag: source.tag, rules: [...drops, ...routes.rules], missing: routes.missing });
    const dropped = drops.length === 0 ? [] : [{ tag: `${DROPPED}.${source.tag}`, deliveries: [] }];
    outcomes.push(...routes.outcomes, ...dropped);
  }
  if (sources.length === 0) outcomes.push(...unfed(pipeline));
  const used = new Set<string>();
  const applied = new Set(distinct(sources).length === 1 ? commonFilters(outcomes) : []);
  const sinks: DraftSink[] = [];
  for (const plan of planSinks(outcomes)) {
    const scope = { context, transformations, outcomes, used, applied, timeKey: commonTimeKey(sources) };
    const sink = sinkOf(plan, scope);
    if (sink !== undefined) sinks.push(sink);
  }
  findings.sweep(config);
  const names = new Set<string>();
  const named = sources.map(({ tag, keys, section }) => {
    const name = uniqueName(section.text('@id', 'id') ?? 'apiserver', names);
    return { name, tag, keys: keys.named(name) };
  });
  return { sources: named, ...joinRules(groups), sinks };
}

/** Sources of one tag and label have the same way. */
function distinct(sources: readonly TailSource[]): TailSource[] {
  const byTag = new Map(sources.map((source) => [`${source.tag} ${source.section.text('@label') ?? ''}`, source]));
  return [...byTag.values()];
}

/** A sink has one list of time fields, whatever its sources. */
function commonTimeKey(sources: readonly TailSource[]): TailSource['timeKey'] {
  const first = sources[0]?.timeKey;
  return sources.every(({ timeKey }) => timeKey?.value === first?.value) ? first : undefined;
}

function scopeOf({ section }: TailSource, pipeline: Pipeline, { findings }: Context) {
  const label = section.text('@label');
  if (label === undefined || label === '@ROOT') return pipeline.root;
  const scope = pipeline.labels.get(label);
  if (scope === undefined) findings.warn(section, `there is no <label ${label}>`);
  return scope ?? [];
}

/** A file without sources, one that another includes: each output with what its pattern takes. */
function unfed(pipeline: Pipeline): Outcome[] {
  return [...pipeline.root, ...[...pipeline.labels.values()].flat()].flatMap((element) => {
    if (element.isFilter || element.pattern === undefined) return [];
    const tag = element.pattern.replaceAll(/\*+|[{},].*/g, 'x');
    const delivery = { output: element.section, owner: element.section, element, earlier: [], tag, filters: [] };
    return ['copy', 'relabel', 'route', 'null', 'rewrite_tag_filter', 'forest'].includes(element.section.type)
      ? []
      : [{ tag, deliveries: [delivery] }];
  });
}

/** A grep that all events pass drops them before they have a tag. */
function dropRules(tag: string, routes: Routes, transformations: Transformations): DraftRule[] {
  const filters = commonFilters(routes.outcomes);
  return filters.flatMap((filter, index) => {
    const drops = transformations.drops(filter, filters.slice(0, index)) ?? [];
    return drops.map(({ key, pattern, invert, param }) => {
      return { match: tag, key, pattern, tag: `${DROPPED}.\${tag}`, invert, place: param.place };
    });
  });
}

function accountJunction(section: Section, { findings }: Context): void {
  const why = { note: 'it says how events pass, and the match of the sinks says that now' };
  const known = each(
    ['@type', 'type', '@label', '@id', 'id', '@log_level', 'log_level', 'copy', 'copy_mode', 'deep_copy'],
    why,
  );
  const store = (child: Section) => {
    if (child.arg !== '') findings.note(child, `<store ${child.arg}>: each sink succeeds or waits by itself`);
  };
  const route = (child: Section) => applySettings(child, '<route>', known, {}, findings);
  const prefixes = each(['add_tag_prefix', 'remove_tag_prefix'], {
    warn: 'tags stay as they are; sinks get the tag without this',
  });
  applySettings(
    section,
    section.type,
    { ...known, ...prefixes },
    { store, route, buffer: { note: 'nothing is held here' } },
    findings,
  );
}
