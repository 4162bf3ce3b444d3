import type { Findings } from './findings.ts';
import type { Param, Section } from './section.ts';

/** What became of a parameter: nothing said means that it was translated. */
export type Fate = undefined | { readonly warn: string } | { readonly note: string };

/** What to do with a parameter, or what is to be said of it whatever its value. */
export type Setting = Fate | ((param: Param) => Fate);

/** By parameter in lower case. */
export type Settings = Readonly<Record<string, Setting>>;

/** By the name of a section within; a text is said of the whole section. */
export type SectionSettings = Readonly<
  Record<string, ((section: Section) => void) | { readonly note: string } | { readonly warn: string }>
>;

/**
 * Goes through everything that a section holds: what the tables know is done or said, of everything else a warning is
 * given. `what` is the plugin as messages name it.
 */
export function applySettings(
  section: Section,
  what: string,
  settings: Settings,
  sections: SectionSettings,
  findings: Findings,
): void {
  const last = new Map(section.params.map((param) => [param.key.toLowerCase(), param]));
  for (const param of section.params) {
    const key = param.key.toLowerCase();
    const winner = last.get(key)!;
    if (winner !== param && !isRepeatable(key)) {
      findings.note(param, `${param.key} stands again on line ${winner.place.line}, which counts`);
    } else if (!Object.hasOwn(settings, key)) {
      findings.warn(param, `${param.key} of ${what} has no counterpart here`);
    } else {
      account(param, settings[key], findings);
    }
  }
  for (const child of section.sections) {
    const handler = sections[child.name];
    if (typeof handler === 'function') handler(child);
    else if (handler === undefined) findings.warnAll(child, `<${child.name}> of ${what} has no counterpart here`);
    else if ('note' in handler) findings.noteAll(child, `<${child.name}>: ${handler.note}`);
    else findings.warnAll(child, `<${child.name}>: ${handler.warn}`);
  }
}

/** The same thing to say of several parameters. */
export function each(keys: readonly string[], setting: Setting): Settings {
  return Object.fromEntries(keys.map((key) => [key, setting]));
}

function account(param: Param, setting: Setting, findings: Findings): void {
  const fate = typeof setting === 'function' ? setting(param) : setting;
  if (!fate) findings.translated(param);
  else if ('note' in fate) findings.note(param, `${param.key}: ${fate.note}`);
  else findings.warn(param, `${param.key}: ${fate.warn}`);
}

/** Fluent Bit's keys that may stand several times. */
const REPEATABLE = new Set([
  'rule',
  'regex',
  'exclude',
  'add',
  'set',
  'remove',
  'rename',
  'copy',
  'hard_rename',
  'hard_copy',
  'remove_wildcard',
  'remove_regex',
  'condition',
  'record',
  'remove_key',
  'allowlist_key',
  'header',
]);

function isRepeatable(key: string): boolean {
  return REPEATABLE.has(key);
}
