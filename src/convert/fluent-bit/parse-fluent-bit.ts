import path from 'node:path';
import { type ConfigFiles, MAX_INCLUDES } from '../config-files.ts';
import type { Findings } from '../findings.ts';
import { syntaxError } from '../parse-error.ts';
import { type Place, Section } from '../section.ts';

interface Parsing {
  readonly root: Section;
  readonly variables: Map<string, string>;
  readonly files: ConfigFiles;
  readonly findings: Findings;
}

/**
 * Reads a configuration of Fluent Bit in its classic form: sections, indented entries, comments on lines of their own,
 * `@SET`, `@INCLUDE` (files and globs, relative to the including file) and `${NAME}`. What `@SET` does not give comes from
 * the environment, and becomes `${env:NAME}`.
 *
 * @throws AuditailError `CONVERT_SYNTAX` with file, line and column
 */
export function parseFluentBit(text: string, file: string, files: ConfigFiles, findings: Findings): Section {
  const root = new Section('', '', { file, line: 1, column: 1 });
  readLines(text.replace(/^\ufeff/, ''), file, { root, variables: new Map(), files, findings }, 0);
  return root;
}

function readLines(text: string, file: string, parsing: Parsing, depth: number): void {
  let section: Section | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const place = { file, line: index + 1, column: raw.length - raw.trimStart().length + 1 };
    if (line === '' || line.startsWith('#')) continue;
    const [first, rest] = splitWord(line);
    if (first.startsWith('@')) {
      command(first, rest, place, parsing, depth);
    } else if (line.startsWith('[') && /^\S/.test(raw)) {
      const name = /^\[([^[\]]+)\]$/.exec(line)?.[1];
      if (name === undefined) throw syntaxError(place, 'a section was expected, such as [INPUT]');
      section = new Section(name.trim().toLowerCase(), '', place);
      parsing.root.sections.push(section);
    } else if (section === undefined || /^\S/.test(raw)) {
      throw syntaxError(place, section === undefined ? 'this stands before any section' : 'entries must be indented');
    } else {
      section.params.push({ key: first, value: expand(rest, parsing.variables), place });
    }
  }
}

function command(name: string, rest: string, place: Place, parsing: Parsing, depth: number): void {
  const { variables, files, findings } = parsing;
  if (name.toUpperCase() === '@SET') {
    const match = /^([^=\s]+)\s*=\s*(.*)$/.exec(rest);
    if (match === null) throw syntaxError(place, 'KEY=VALUE was expected behind @SET');
    variables.set(match[1]!, expand(match[2]!, variables));
    return;
  }
  if (name.toUpperCase() !== '@INCLUDE') throw syntaxError(place, `${name} is no command; there are @SET and @INCLUDE`);
  if (depth >= MAX_INCLUDES) throw syntaxError(place, 'files include each other without end');
  const target = expand(rest, variables);
  const found = files.glob(path.isAbsolute(target) ? target : path.join(path.dirname(place.file), target));
  if (found.length === 0) findings.warn(place, `@INCLUDE ${target}: there is no such file`);
  for (const file of found) readLines(files.read(file), file, parsing, depth + 1);
}

function splitWord(line: string): [string, string] {
  const end = line.search(/\s/);
  return end < 0 ? [line, ''] : [line.slice(0, end), line.slice(end).trim()];
}

function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => variables.get(name) ?? `\${env:${name}}`);
}
