import { chooseMatch } from '../choose-match.ts';
import type { Context } from '../context.ts';
import { DROPPED, uniqueName } from '../conversion.ts';
import type { DraftSink } from '../draft.ts';
import { MappingBuilder } from '../mapping-builder.ts';
import type { OutputScope } from '../output-scope.ts';
import { WHOLE_TAG } from '../placeholders.ts';
import type { Param } from '../section.ts';
import { applySettings, each } from '../settings.ts';
import { ANY } from '../tag-samples.ts';
import { OUTPUTS, type OutputPlugin } from './outputs/outputs.ts';
import type { Element } from './pipeline.ts';
import type { Outcome } from './retagging.ts';
import type { SinkPlan } from './sink-plan.ts';
import type { Transformations } from './transformations.ts';

interface Scope {
  readonly context: Context;
  readonly transformations: Transformations;
  readonly outcomes: readonly Outcome[];
  readonly used: Set<string>;
  /** Filters that all events pass, wherever they go. */
  readonly applied: ReadonlySet<Element>;
  readonly timeKey: Param | undefined;
}

/** The sink of an output; undefined when it has no counterpart. */
export function sinkOf(plan: SinkPlan, scope: Scope): DraftSink | undefined {
  const { output, owner } = plan;
  const { context, used } = scope;
  const { findings } = context;
  const plugin = OUTPUTS[output.type];
  if (plugin === undefined) {
    findings.warnAll(
      owner,
      `the output ${output.type || 'without @type'} has no counterpart here; what it took goes nowhere`,
    );
    return undefined;
  }
  if (owner.type === 'forest') accountForest(plan, context);
  const keys = new MappingBuilder();
  keys.set('name', uniqueName(output.text('@id', 'id') ?? plugin.name, used), owner.place).set('type', plugin.type);
  keys.set('match', matchOf(plan, scope));
  const view = [...plan.views.values()];
  const speaksOfTag = JSON.stringify(output.params.map(({ value }) => value)).match(/\$\{tag|__TAG/) !== null;
  if (speaksOfTag && (view.length !== 1 || view[0] === undefined)) {
    findings.warn(
      output,
      'the tag that it had in fluentd is not the one that events have here; see what it is named by',
    );
  }
  const outputScope: OutputScope = {
    section: output,
    context,
    keys,
    view: view[0] ?? WHOLE_TAG,
    timeKey: scope.timeKey,
  };
  plugin.translate(outputScope);
  passFilters(plan, plugin, outputScope, scope);
  return { keys };
}

function matchOf({ deliveries, tags, owner }: SinkPlan, { outcomes, context }: Scope): string {
  const patterns = new Set(deliveries.map(({ element }) => element.pattern));
  const written = patterns.size === 1 ? [...patterns][0] : undefined;
  const earlier = deliveries.flatMap((delivery) => delivery.earlier.map(({ pattern }) => pattern ?? ''));
  const unwanted = new Set(outcomes.map(({ tag }) => tag).filter((tag) => !tags.has(tag)));
  const { match, wrong } = chooseMatch(written, [...new Set([`${DROPPED}.**`, ...earlier])], tags, unwanted);
  if (wrong !== undefined) {
    const shown = wrong.replaceAll(ANY, '*');
    const what = tags.has(wrong) ? 'does not get them' : 'gets them too';
    context.findings.warn(owner, `events of the tag ${shown} go another way in fluentd: here this sink ${what}`);
  }
  return match;
}

/** What the filters before an output do to what it gets. */
function passFilters(plan: SinkPlan, plugin: OutputPlugin, output: OutputScope, scope: Scope): void {
  const { context, transformations, applied } = scope;
  const { findings } = context;
  const passed = new Set(plan.deliveries.flatMap(({ filters }) => filters));
  const removed = new Set<string>();
  const aliases = new Map<string, Param>();
  for (const filter of passed) {
    const isForAll = plan.deliveries.every(({ filters }) => filters.includes(filter));
    if (filter.section.type === 'grep') {
      const conditions = transformations.drops(filter, []) ?? [];
      if (!applied.has(filter) && !isDropped(conditions, filter)) {
        findings.warn(filter.section, 'grep: only some events pass it, and here nothing is dropped by it');
      }
      continue;
    }
    const transformation = transformations.of(filter);
    for (const [name, { value, param }] of transformation?.added ?? []) {
      if (plugin.type === 'file')
        findings.warn(param, `${name}: lines of the archive are not changed, so it is not in them`);
      else if (!isForAll) findings.warn(param, `${name}: only some events of this sink had it, and it is not added`);
      else output.keys.set(['add', name], value, param.place);
    }
    for (const [name, { param }] of transformation?.aliases ?? []) aliases.set(name, param);
    for (const [name, param] of transformation?.removed ?? []) {
      if (!aliases.delete(name)) removed.add(name);
      if (removed.has(name)) findings.warn(param, `remove_keys ${name}: nothing is taken out of events here`);
    }
  }
  for (const [name, param] of aliases) {
    findings.warn(
      param,
      `${name}: the field is not added to what is written or sent; rules look at the original field`,
    );
  }

  function isDropped(conditions: readonly unknown[], filter: Element): boolean {
    return (
      conditions.length > 0 &&
      scope.outcomes.every(({ deliveries }) => deliveries.every(({ filters }) => filters.includes(filter)))
    );
  }
}

function accountForest({ owner }: SinkPlan, { findings }: Context): void {
  const known = {
    ...each(['@type', 'type', 'subtype', 'remove_prefix'], undefined),
    add_prefix: { warn: 'the tag of a sink is the event\u2019s; write the prefix into path' },
    escape_tag_separator: { warn: 'the parts of a tag are joined by dots' },
    hostname: { warn: 'the name of this host is taken' },
    ...each(['@id', 'id', '@log_level', 'log_level'], { note: 'it names the plugin in what fluentd logs' }),
  };
  applySettings(owner, 'forest', known, { template: () => undefined, case: () => undefined }, findings);
}
