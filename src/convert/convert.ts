import { ConfigError } from '../config/config-error.ts';
import { parseConfig } from '../config/parse-config.ts';
import { AuditailError } from '../errors.ts';
import { unparsedTag } from '../route/reserved-tags.ts';
import type { ConfigFiles } from './config-files.ts';
import type { Context } from './context.ts';
import type { Converted } from './conversion.ts';
import { renderDraft } from './draft.ts';
import { type Finding, Findings, type Translation } from './findings.ts';
import { convertFluentBit } from './fluent-bit/convert-fluent-bit.ts';
import { parseFluentBit } from './fluent-bit/parse-fluent-bit.ts';
import { convertFluentd } from './fluentd/convert-fluentd.ts';
import { parseFluentd } from './fluentd/parse-fluentd.ts';
import { tagMatcher } from './fluentd/tag-matcher.ts';
import { MappingBuilder } from './mapping-builder.ts';
import type { Place } from './section.ts';

export const DIALECTS = ['fluentd', 'fluent-bit'] as const;
export type Dialect = (typeof DIALECTS)[number];

const TOOLS: Readonly<Record<Dialect, string>> = { fluentd: 'fluentd', 'fluent-bit': 'Fluent Bit' };

export interface ConvertOptions {
  /** As messages and comments show it; includes are relative to it. */
  readonly file: string;
  /** Undefined: what the text looks like. */
  readonly dialect?: Dialect | undefined;
  readonly files: ConfigFiles;
  readonly timeZone: string;
  readonly hostname: string;
}

export interface Conversion {
  readonly dialect: Dialect;
  /** A configuration of auditail, with comments. */
  readonly yaml: string;
  readonly warnings: readonly Finding[];
  readonly notes: readonly Finding[];
  readonly translated: readonly Translation[];
}

/**
 * Translates a configuration of fluentd or Fluent Bit. Every parameter of it is translated, noted (it has no meaning here)
 * or warned of; what `check` would refuse in the result is a warning too.
 *
 * @throws AuditailError `CONVERT_SYNTAX` with file, line and column for text that cannot be read
 */
export function convert(text: string, options: ConvertOptions): Conversion {
  const { file, files, timeZone, hostname } = options;
  const dialect = options.dialect ?? dialectOf(text, file);
  const findings = new Findings();
  const context: Context = { findings, timeZone, hostname };
  const converted =
    dialect === 'fluentd'
      ? convertFluentd(parseFluentd(text, file, files, findings), context)
      : convertFluentBit(parseFluentBit(text, file, files, findings), context);
  const start = { file, line: 1, column: 1 };
  if (converted.sources.length === 0)
    findings.warn(start, 'no source could be converted; the default source would be read');
  if (converted.sinks.length === 0)
    findings.warn(start, 'no output could be converted; the default archive would be written');
  noteUnparsed(converted, findings, start);
  const head = [`Converted from ${file} by auditail convert: see what it warned of, then run auditail check.`];
  const yaml = renderDraft({ global: new MappingBuilder(), ...converted }, [
    ...head,
    `What stands behind a key is where ${TOOLS[dialect]} said it.`,
  ]);
  for (const problem of problemsOf(yaml)) findings.warn(start, `the configuration is not valid yet: ${problem}`);
  return {
    dialect,
    yaml,
    warnings: findings.of('warning'),
    notes: findings.of('note'),
    translated: findings.translations,
  };
}

/** Both tools drop lines that are no events. Here they have a tag, and it depends on the sinks whether they are kept. */
function noteUnparsed({ sources, sinks }: Converted, findings: Findings, start: Place): void {
  // One that is no pattern takes nothing; that it is none is a warning of its own.
  const takers = sinks.map(({ keys }) => tagMatcher(String(keys.get('match')), () => undefined));
  for (const tag of new Set(sources.map((source) => source.tag))) {
    const unparsed = unparsedTag(tag);
    if (sinks.length === 0 || takers.some((takes) => takes(unparsed))) continue;
    findings.note(
      start,
      `lines that are no events have the tag ${unparsed}, which no sink takes; add it to a match to keep them`,
    );
  }
}

function dialectOf(text: string, file: string): Dialect {
  if (/^\s*<\w+[^\n]*>/m.test(text) || /^\s*@include\s/m.test(text)) return 'fluentd';
  if (/^\[\w+\]/m.test(text) || /^@(?:SET|INCLUDE)\s/im.test(text)) return 'fluent-bit';
  throw new AuditailError(
    'CONVERT_SYNTAX',
    `${file}:1:1: this looks neither like fluentd's nor like Fluent Bit's classic syntax`,
    {
      hint: 'Name the tool with --from fluentd or --from fluent-bit; their YAML forms are not read',
    },
  );
}

/** Variables that it names may be set elsewhere; here each has a text. */
function problemsOf(yaml: string): string[] {
  const names = [...yaml.matchAll(/\$\{env:(\w+)\}/g)].map((match) => match[1]!);
  try {
    parseConfig(yaml, { file: 'it', env: Object.fromEntries(names.map((name) => [name, '1'])) });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  }
}
