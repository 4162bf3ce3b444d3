import { AuditailError, describeError } from '../../errors.ts';
import { parseTagTemplate } from '../../route/tag-template.ts';
import type { Context } from '../context.ts';
import { DROPPED } from '../conversion.ts';
import type { DraftRule } from '../draft.ts';
import { translatePlaceholders, WHOLE_TAG } from '../placeholders.ts';
import { translatePattern } from '../ruby-pattern.ts';
import type { Param, Section } from '../section.ts';
import { applySettings, each, type Fate } from '../settings.ts';
import { truth } from '../values.ts';
import { type BitPattern, readTagPattern } from './tag-match.ts';

export interface BitFilter extends BitPattern {
  readonly section: Section;
  readonly rules: readonly DraftRule[];
  readonly added: readonly { readonly name: string; readonly value: string; readonly param: Param }[];
}

const UNCHANGED: Fate = {
  warn: 'events are passed on as they were read; nothing is taken out of them or changed in them',
};
const KNOWN = {
  ...each(['name', 'match', 'match_regex', 'alias'], undefined),
  log_level: { note: 'it concerns what Fluent Bit logs' },
};

/** All filters in their order, each with the rules and fields that it becomes. */
export function readFilters(config: Section, context: Context): BitFilter[] {
  const filters: BitFilter[] = [];
  for (const section of config.sections.filter(({ name }) => name === 'filter')) {
    const pattern = readTagPattern(section, context.findings);
    if (section.type === 'rewrite_tag')
      filters.push({ ...pattern, section, rules: retagRules(section, context), added: [] });
    else if (section.type === 'grep')
      filters.push({ ...pattern, section, rules: dropRules(section, context), added: [] });
    else if (section.type === 'modify' || section.type === 'record_modifier') {
      filters.push({ ...pattern, section, rules: [], added: addedFields(section, context) });
    } else context.findings.warnAll(section, `the filter ${section.type} has no counterpart here`);
  }
  const retagging = filters.filter(({ section }) => section.type === 'rewrite_tag');
  for (const { section } of retagging.slice(1)) {
    context.findings.warn(
      section,
      'a tag is rewritten once here: its rules are tried where no rule before matched, on the tag of the source',
    );
  }
  for (const [index, { section, rules }] of filters.entries()) {
    const behind = filters.slice(0, index).some((other) => other.section.type === 'rewrite_tag');
    if (section.type === 'grep' && rules.length > 0 && behind) {
      context.findings.warn(section, 'grep: it stands behind rewrite_tag, and drops only what no rule before it took');
    }
  }
  return filters;
}

/** `Rule $KEY REGEX NEW_TAG KEEP`. */
function retagRules(section: Section, context: Context): DraftRule[] {
  const { findings } = context;
  const rules: DraftRule[] = [];
  const rule = (param: Param): Fate => {
    const match = /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)$/.exec(param.value);
    if (match === null) return { warn: 'a key, a pattern, a tag, and true or false were expected' };
    const [, key, pattern, tag, keep] = match;
    const fate = attempt(() => {
      const template = translatePlaceholders(tag!, {
        view: WHOLE_TAG,
        host: undefined,
        captures: true,
        complain: (message) => findings.warn(param, message),
      });
      parseTagTemplate(template, { captures: true });
      rules.push({
        match: '',
        key: accessor(key!),
        pattern: translatePattern(pattern!),
        tag: template,
        invert: false,
        place: param.place,
      });
    });
    if (fate === undefined && truth(keep!) === true)
      return { warn: 'an event has one tag here, and the one with the old tag is not kept' };
    return fate;
  };
  applySettings(
    section,
    'rewrite_tag',
    {
      ...KNOWN,
      rule,
      ...each(['emitter_name', 'emitter_storage.type', 'emitter_mem_buf_limit'], {
        note: 'events are not emitted anew',
      }),
    },
    {},
    findings,
  );
  return rules;
}

/** `Regex KEY PATTERN` and `Exclude KEY PATTERN`: the first that says so drops an event. */
function dropRules(section: Section, context: Context): DraftRule[] {
  const rules: DraftRule[] = [];
  const operator = section.text('logical_op')?.toLowerCase() ?? 'legacy';
  const count = section.params.filter(({ key }) => /^(?:regex|exclude)$/i.test(key)).length;
  const condition =
    (invert: boolean) =>
    (param: Param): Fate => {
      // Several that must hold together cannot be tried one by one.
      if (count > 1 && operator === (invert ? 'or' : 'and'))
        return { warn: `conditions joined by ${operator} have no counterpart here, and more events pass` };
      const match = /^(\S+)\s+(.+)$/.exec(param.value);
      if (match === null) return { warn: 'a key and a pattern were expected' };
      return attempt(() => {
        rules.push({
          match: '',
          key: accessor(match[1]!),
          pattern: translatePattern(match[2]!),
          tag: `${DROPPED}.\${tag}`,
          invert,
          place: param.place,
        });
      });
    };
  applySettings(
    section,
    'grep',
    { ...KNOWN, regex: condition(true), exclude: condition(false), logical_op: undefined },
    {},
    context.findings,
  );
  return rules;
}

function addedFields(section: Section, { findings }: Context) {
  const added: { name: string; value: string; param: Param }[] = [];
  const add = (param: Param): Fate => {
    const match = /^(\S+)\s+(.+)$/.exec(param.value);
    if (match === null) return { warn: 'a name and a value were expected' };
    const value = match[2]!.replaceAll(/\$\{env:HOSTNAME\}/g, '${node}');
    added.push({ name: match[1]!, value, param });
    return undefined;
  };
  const set = (param: Param): Fate => add(param) ?? { note: 'a field that an event has already stays its own' };
  const changes = [
    'remove',
    'remove_wildcard',
    'remove_regex',
    'rename',
    'hard_rename',
    'copy',
    'hard_copy',
    'move_to_start',
    'move_to_end',
    'remove_key',
    'allowlist_key',
    'whitelist_key',
    'uuid_key',
  ];
  const condition: Fate = { warn: 'fields are added to all events of a sink' };
  applySettings(
    section,
    section.type,
    { ...KNOWN, add, set, record: add, condition, ...each(changes, UNCHANGED) },
    {},
    findings,
  );
  return added;
}

/** `$objectRef['namespace']` is `objectRef.namespace`; without the sign it is one key. */
function accessor(key: string): string {
  const match = /^\$([^[]+)((?:\[(?:'[^']*'|"[^"]*"|\d+)\])*)$/.exec(key);
  if (match === null) return /^[^\s.[\]'"$]+$/.test(key) ? key : `$['${key}']`;
  const names = [match[1]!, ...[...match[2]!.matchAll(/\[['"]?([^'"\]]*)['"]?\]/g)].map((one) => one[1]!)];
  return names.every((name) => /^[^\s.[\]'"$]+$/.test(name))
    ? names.join('.')
    : `$${names.map((name) => `['${name}']`).join('')}`;
}

function attempt(action: () => void): Fate {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof AuditailError)) throw error;
    return { warn: `it is left out: ${describeError(error)}` };
  }
}
