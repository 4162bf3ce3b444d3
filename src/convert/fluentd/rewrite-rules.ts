import { AuditailError, describeError } from '../../errors.ts';
import { parseTagTemplate } from '../../route/tag-template.ts';
import type { Context } from '../context.ts';
import { translatePlaceholders } from '../placeholders.ts';
import { translatePattern } from '../ruby-pattern.ts';
import type { Param, Place, Section } from '../section.ts';
import { applySettings } from '../settings.ts';
import { truth } from '../values.ts';
import { type FieldAlias, fieldPath } from './field-alias.ts';

/** A rule of rewrite_tag_filter, in auditail's terms. */
export interface RetagRule {
  readonly key: string;
  readonly pattern: string;
  readonly tag: string;
  readonly invert: boolean;
  /** The text that it sees where the event has no such field. */
  readonly fallback: string | undefined;
  readonly label: string | undefined;
  readonly place: Place;
}

interface WrittenRule {
  readonly key: Param;
  readonly field: string;
  readonly pattern: string;
  readonly tag: string;
  readonly invert: boolean;
  readonly label: string | undefined;
}

/** The rules of a section, numbered ones (`rewriterule1`) and `<rule>` sections, in the order in which they are tried. */
export function readRetagRules(
  section: Section,
  aliases: ReadonlyMap<string, FieldAlias>,
  context: Context,
): RetagRule[] {
  const { findings } = context;
  const written: WrittenRule[] = [];
  const numbered = section.params
    .filter(({ key }) => /^rewriterule\d+$/i.test(key))
    .sort((a, b) => numberOf(a) - numberOf(b));
  for (const param of numbered) {
    const match = /^(\S+)\s+(.+?)\s+(\S+)(?:\s+(@\S+))?$/.exec(param.value);
    if (match === null) {
      findings.warn(param, `${param.key}: a field, a pattern and a tag were expected`);
      continue;
    }
    const [, field, pattern, tag, label] = match;
    const invert = pattern!.startsWith('!');
    written.push({ key: param, field: field!, pattern: pattern!.slice(invert ? 1 : 0), tag: tag!, invert, label });
  }
  const readRule = (rule: Section) => {
    const [key, pattern, tag] = [rule.param('key'), rule.param('pattern'), rule.param('tag')];
    if (key === undefined || pattern === undefined || tag === undefined) {
      findings.warnAll(rule, '<rule>: key, pattern and tag were expected');
      return;
    }
    const invert = truth(rule.text('invert') ?? 'false') === true;
    written.push({ key, field: key.value, pattern: pattern.value, tag: tag.value, invert, label: rule.text('label') });
    const known = { key: undefined, pattern: undefined, tag: undefined, invert: undefined, label: undefined };
    applySettings(rule, '<rule>', known, {}, findings);
  };
  const prefix = section.text('remove_tag_prefix')?.replace(/\.$/, '');
  applySettings(
    section,
    'rewrite_tag_filter',
    {
      ...Object.fromEntries(numbered.map(({ key }) => [key.toLowerCase(), undefined])),
      '@type': undefined,
      type: undefined,
      '@label': undefined,
      '@id': { note: 'it names the plugin in what fluentd logs' },
      '@log_level': { note: 'it concerns what fluentd logs' },
      log_level: { note: 'it concerns what fluentd logs' },
      remove_tag_prefix: undefined,
      remove_tag_regexp: { warn: 'no part of a tag is taken out by a pattern here' },
      hostname_command: { note: 'the name of this host is written into tags that have it' },
      emit_mode: { note: 'it concerns how fluentd passes events on' },
      capitalize_regex_backreference: ({ value }) =>
        truth(value) === true ? { warn: 'captures keep their letters as they are' } : { note: 'that is so here' },
    },
    { rule: readRule },
    findings,
  );
  return written.flatMap((rule) => translated(rule, prefix, aliases, context));
}

function translated(
  { key, field, pattern, tag, invert, label }: WrittenRule,
  prefix: string | undefined,
  aliases: ReadonlyMap<string, FieldAlias>,
  { findings, hostname }: Context,
): RetagRule[] {
  const alias = aliases.get(field);
  const path = alias?.path ?? accessorPath(field);
  const from = prefix === undefined ? 0 : prefix.split('.').length;
  const template = translatePlaceholders(tag, {
    view: { from, to: -1 },
    host: hostname.replaceAll(/[^A-Za-z0-9_-]/g, '-'),
    captures: true,
    complain: (message) => findings.warn(key, message),
  });
  try {
    parseTagTemplate(template, { captures: true });
    const source = translatePattern(pattern);
    return [{ key: path, pattern: source, tag: template, invert, fallback: alias?.fallback, label, place: key.place }];
  } catch (error) {
    if (!(error instanceof AuditailError)) throw error;
    findings.warn(key, `the rule is left out: ${describeError(error)}`);
    return [];
  }
}

/** `$.a.b` and `$['a']['b']` are paths; anything else is one key, dots and all. */
export function accessorPath(key: string): string {
  return /^\$[.[]/.test(key) ? key.replace(/^\$\.(?!.*\[)/, '') : fieldPath([key]);
}

function numberOf({ key }: Param): number {
  return Number(key.replace(/\D+/g, ''));
}
