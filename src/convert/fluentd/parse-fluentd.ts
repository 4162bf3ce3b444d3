import path from 'node:path';
import { type ConfigFiles, MAX_INCLUDES } from '../config-files.ts';
import type { Findings } from '../findings.ts';
import { syntaxError } from '../parse-error.ts';
import { type Place, Section } from '../section.ts';
import { BLANKS, endLine, parseLiteral, parseQuoted, SPACING } from './parse-literal.ts';
import { TextReader } from './text-reader.ts';

const NAME = /[a-zA-Z0-9_]+/y;

/**
 * Reads a configuration of fluentd (v0.12's and v1's syntax, as `Fluent::Config::V1Parser` does): nested sections, quoted
 * strings, JSON, comments, and `@include` of files and globs relative to the including file.
 *
 * @throws AuditailError `CONVERT_SYNTAX` with file, line and column
 */
export function parseFluentd(text: string, file: string, files: ConfigFiles, findings: Findings): Section {
  const root = new Section('', '', { file, line: 1, column: 1 });
  parseInto(root, new TextReader(text.replace(/^\ufeff/, ''), file), { files, findings, depth: 0 });
  return root;
}

interface Parsing {
  readonly files: ConfigFiles;
  readonly findings: Findings;
  /** Of includes. */
  readonly depth: number;
}

/** Reads what is in `section`: up to its end tag, or for a file's own level to the end. */
function parseInto(section: Section, reader: TextReader, parsing: Parsing, isFile = true): void {
  const complain = (place: Place, message: string) => parsing.findings.warn(place, message);
  for (;;) {
    reader.take(SPACING);
    const place = reader.place;
    if (reader.atEnd) {
      if (isFile) return;
      throw syntaxError(section.place, `<${section.name}> is never closed`);
    }
    if (reader.take(/<\//y) !== undefined) {
      endTag(section, reader, place, isFile);
      return;
    }
    if (reader.take(/</y) !== undefined) {
      parseInto(startTag(section, reader, place), reader, parsing, false);
      continue;
    }
    // What is not passed over as spacing is a key: other white space too.
    const key = parseQuoted(reader, complain) ?? reader.take(/[^ \t\r\n]+/y)!;
    if (key === '@include' || (key === 'include' && isFile)) {
      include(section, parseLiteral(reader, complain), place, parsing);
      continue;
    }
    reader.take(BLANKS);
    section.params.push({ key, value: parseLiteral(reader, complain), place });
  }
}

function startTag(parent: Section, reader: TextReader, place: Place): Section {
  const name = reader.take(NAME);
  if (name === undefined) throw syntaxError(reader.place, "the name of a section was expected behind '<'");
  const rest = reader.take(/[^\n>]*/y)!.trim();
  if (reader.take(/>/y) === undefined) throw syntaxError(reader.place, "'>' was expected here");
  endLine(reader);
  const section = new Section(name, rest.replace(/^(['"])(.*)\1$/, '$2'), place);
  parent.sections.push(section);
  return section;
}

function endTag(section: Section, reader: TextReader, place: Place, isFile: boolean): void {
  const name = reader.take(NAME) ?? '';
  reader.take(BLANKS);
  if (reader.take(/>/y) === undefined) throw syntaxError(reader.place, "'>' was expected here");
  if (isFile) throw syntaxError(place, `</${name}> closes nothing`);
  if (name !== section.name) throw syntaxError(place, `</${name}> stands where </${section.name}> was expected`);
  endLine(reader);
}

function include(section: Section, target: string, place: Place, { files, findings, depth }: Parsing): void {
  if (depth >= MAX_INCLUDES) throw syntaxError(place, 'files include each other without end');
  if (/^(?!file:)[a-z]+:\/\//i.test(target)) {
    findings.warn(place, `@include of ${target}: nothing is fetched; convert a copy of it`);
    return;
  }
  const wanted = target.replace(/^file:\/\//, '');
  const pattern = path.isAbsolute(wanted) ? wanted : path.join(path.dirname(place.file), wanted);
  const found = files.glob(pattern);
  if (found.length === 0) findings.warn(place, `@include ${target}: there is no such file`);
  for (const file of found) {
    parseInto(section, new TextReader(files.read(file), file), { files, findings, depth: depth + 1 });
  }
}
