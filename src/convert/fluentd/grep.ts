import { AuditailError, describeError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { translatePattern } from '../ruby-pattern.ts';
import type { Param, Section } from '../section.ts';
import { applySettings } from '../settings.ts';
import type { FieldAlias } from './field-alias.ts';
import { accessorPath } from './rewrite-rules.ts';

/** An event for which this holds is left out. */
export interface DropCondition {
  readonly key: string;
  readonly pattern: string;
  /** It holds where the pattern does not match. */
  readonly invert: boolean;
  readonly param: Param;
}

/** The conditions of a `grep` filter: any of them drops an event. */
export function readGrep(
  section: Section,
  aliases: ReadonlyMap<string, FieldAlias>,
  { findings }: Context,
): DropCondition[] {
  const conditions: DropCondition[] = [];
  const add = (param: Param, field: string, pattern: string, invert: boolean): void => {
    try {
      const key = aliases.get(field)?.path ?? accessorPath(field);
      conditions.push({ key, pattern: translatePattern(pattern), invert, param });
    } catch (error) {
      if (!(error instanceof AuditailError)) throw error;
      findings.warn(param, `the condition is left out, so more events pass: ${describeError(error)}`);
    }
  };
  const condition = (invert: boolean) => (one: Section) => {
    const [key, pattern] = [one.param('key'), one.param('pattern')];
    if (key === undefined || pattern === undefined) {
      findings.warnAll(one, `<${one.name}>: key and pattern were expected`);
      return;
    }
    add(key, key.value, pattern.value, invert);
    applySettings(one, `<${one.name}>`, { key: undefined, pattern: undefined }, {}, findings);
  };
  /** The pattern of several conditions on one field, of which any is to match. */
  const anyOf = (group: Section) => {
    const inner = group.all('regexp');
    const fields = new Set(inner.map((one) => one.text('key')));
    const first = inner[0]?.param('pattern');
    if (fields.size !== 1 || first === undefined || inner.length < group.sections.length) {
      findings.warnAll(group, '<or> of several fields has no counterpart here, and more events pass');
      return;
    }
    try {
      const pattern = inner.map((one) => `(?:${translatePattern(one.text('pattern') ?? '')})`).join('|');
      add(first, [...fields][0] ?? '', pattern, true);
    } catch (error) {
      if (!(error instanceof AuditailError)) throw error;
      findings.warn(first, `the condition is left out, so more events pass: ${describeError(error)}`);
    }
    for (const one of inner) findings.translated(...one.params);
  };
  const regexp = condition(true);
  const exclude = condition(false);
  const legacy = (invert: boolean) => (param: Param) => {
    const match = /^(\S+)\s+(.+)$/.exec(param.value);
    if (match === null) return { warn: 'a field and a pattern were expected' };
    add(param, match[1]!, match[2]!, invert);
    return undefined;
  };
  const numbered = section.params
    .map(({ key }) => key.toLowerCase())
    .filter((key) => /^(?:regexp|exclude)\d+$/.test(key));
  applySettings(
    section,
    'grep',
    {
      ...Object.fromEntries(numbered.map((key) => [key, legacy(key.startsWith('r'))])),
      '@type': undefined,
      type: undefined,
      '@id': { note: 'it names the plugin in what fluentd logs' },
      '@log_level': { note: 'it concerns what fluentd logs' },
    },
    {
      regexp,
      exclude,
      and: (group) => nested(group, { regexp }, 'exclude'),
      or: (group) => (group.find('regexp') === undefined ? nested(group, { exclude }, 'regexp') : anyOf(group)),
    },
    findings,
  );
  return conditions;

  /** Conditions that hold one by one, as they do outside of the group. */
  function nested(group: Section, sections: Record<string, (one: Section) => void>, refused: string): void {
    if (group.find(refused) === undefined) applySettings(group, `<${group.name}>`, {}, sections, findings);
    else findings.warnAll(group, `<${group.name}> with <${refused}> has no counterpart here, and more events pass`);
  }
}
