import { renderYaml, type YamlMapping, type YamlValue, yamlComment } from '../config/render-yaml.ts';
import { MappingBuilder } from './mapping-builder.ts';
import type { Place } from './section.ts';

export interface DraftSource {
  readonly name: string;
  readonly tag: string;
  readonly keys: MappingBuilder;
}

export interface DraftRule {
  /** Source tag. */
  readonly match: string;
  readonly key: string;
  readonly pattern: string;
  readonly tag: string;
  readonly invert: boolean;
  readonly place: Place;
}

export interface DraftSink {
  readonly keys: MappingBuilder;
}

/** The configuration that a conversion makes. */
export interface Draft {
  readonly global: MappingBuilder;
  readonly sources: readonly DraftSource[];
  readonly rules: readonly DraftRule[];
  readonly missing: string;
  readonly sinks: readonly DraftSink[];
}

/** The field whose values are names of namespaces. */
const NAMESPACE = 'objectRef.namespace';

/** YAML with comments that name where each key comes from. `head` are the lines of the comment at its top. */
export function renderDraft({ global, sources, rules, missing, sinks }: Draft, head: readonly string[]): string {
  const whole = new MappingBuilder();
  if (sources.length > 0)
    whole.set(
      'sources',
      sources.map(({ keys }) => keys.build()),
    );
  whole.set(
    'rewrite',
    rules.map((rule) => ruleMapping(rule, sources.length > 1)),
  );
  whole.set('rewrite_missing', missing);
  if (sinks.length > 0)
    whole.set(
      'sinks',
      sinks.map(({ keys }) => keys.build()),
    );
  const body: YamlValue = { entries: [...global.build().entries, ...whole.build().entries] };
  return `${head.map(yamlComment).join('\n')}\n\n${renderYaml(body)}`;
}

function ruleMapping({ match, key, pattern, tag, invert, place }: DraftRule, hasOthers: boolean): YamlMapping {
  const keys = new MappingBuilder();
  if (hasOthers) keys.set('match', match);
  keys.set('key', key, place).set('pattern', pattern).set('tag', tag);
  if (invert) keys.set('invert', true);
  if (key === NAMESPACE && /\$[1-9]/.test(tag)) keys.set('sanitize', 'dns1123');
  return keys.build();
}
