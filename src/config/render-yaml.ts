import { dump } from 'js-yaml';

export type YamlValue = string | number | boolean | readonly YamlValue[] | YamlMapping;

/** A mapping in its order. */
export interface YamlMapping {
  readonly entries: readonly YamlEntry[];
}

export interface YamlEntry {
  readonly key: string;
  readonly value: YamlValue;
  /** Stands behind the value, or behind the key of a mapping or a list. */
  readonly comment?: string | undefined;
}

const INDENT = '  ';

/** YAML text of a configuration, one key a line, with comments. What it renders is read back as it was given. */
export function renderYaml(mapping: YamlMapping): string {
  return renderMapping(mapping, '');
}

/** A line that holds nothing but text: what would end it, or do worse to a terminal, is left out. */
export function yamlComment(text: string): string {
  return `# ${text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]+/gu, ' ')}`;
}

function renderMapping({ entries }: YamlMapping, indent: string): string {
  return entries.map((entry) => renderEntry(entry, indent)).join('');
}

function renderEntry({ key, value, comment }: YamlEntry, indent: string): string {
  const behind = comment === undefined ? '' : ` ${yamlComment(comment)}`;
  const head = `${indent}${scalar(key)}:`;
  if (typeof value !== 'object') return `${head} ${scalar(value)}${behind}\n`;
  if (!isList(value)) {
    if (value.entries.length === 0) return `${head} {}${behind}\n`;
    return `${head}${behind}\n${renderMapping(value, indent + INDENT)}`;
  }
  if (value.length === 0) return `${head} []${behind}\n`;
  return `${head}${behind}\n${value.map((item) => renderItem(item, indent + INDENT)).join('')}`;
}

function renderItem(item: YamlValue, indent: string): string {
  if (typeof item !== 'object') return `${indent}- ${scalar(item)}\n`;
  if (isList(item)) return `${indent}- [${item.map((one) => scalar(one as string)).join(', ')}]\n`;
  if (item.entries.length === 0) return `${indent}- {}\n`;
  const body = renderMapping(item, indent + INDENT);
  return `${indent}- ${body.slice(indent.length + INDENT.length)}`;
}

function scalar(value: string | number | boolean): string {
  // On one line whatever it holds: a comment may follow.
  if (typeof value === 'string' && /[\p{Cc}\u2028\u2029\ufeff]/u.test(value)) return JSON.stringify(value);
  return dump(value, { lineWidth: -1 }).replace(/\n$/, '');
}

function isList(value: readonly YamlValue[] | YamlMapping): value is readonly YamlValue[] {
  return Array.isArray(value);
}
