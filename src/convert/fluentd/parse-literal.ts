import { syntaxError } from '../parse-error.ts';
import type { Place } from '../section.ts';
import { rubyText } from './ruby-text.ts';
import type { TextReader } from './text-reader.ts';

/** White space, and comments on lines of their own or behind white space. */
export const SPACING = /(?:[ \t\r\n]|#[^\n]*)*/y;
export const BLANKS = /[ \t]*/y;

const LINE_END = /[ \t]*(?:#[^\n]*)?(?:\r?\n|\r?$)/y;
const CHARACTERS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', f: '\f', b: '\b' };

/** Says what could not be read as it was meant. */
export type Complain = (place: Place, message: string) => void;

/** `Fluent::Config::LiteralParser`: quoted strings, JSON over several lines, and everything else up to the line's end. */
export function parseLiteral(reader: TextReader, complain: Complain): string {
  reader.take(BLANKS);
  if (reader.sees(/[[{]/y)) return parseJson(reader);
  const quoted = parseQuoted(reader, complain);
  const text = quoted ?? (reader.take(/(?:(?![ \t]+#|[ \t]*\r?\n|[ \t]*$)[^\n])+/y) ?? '').trimEnd();
  endLine(reader);
  return text;
}

/** A quoted string; undefined when none begins here. */
export function parseQuoted(reader: TextReader, complain: Complain): string | undefined {
  const start = reader.place;
  if (reader.take(/'/y) !== undefined) {
    let text = '';
    for (;;) {
      const piece = reader.take(/\\['\\]|[^']/y);
      if (piece !== undefined) text += piece.length === 2 ? piece[1] : piece;
      else if (reader.take(/'/y) !== undefined) return text;
      else throw syntaxError(start, 'the quote is never closed');
    }
  }
  if (reader.take(/"/y) === undefined) return undefined;
  let text = '';
  for (;;) {
    const place = reader.place;
    const piece = reader.take(/\\[\s\S]|#\{|[^"]/y);
    if (piece === undefined) {
      if (reader.take(/"/y) !== undefined) return text;
      throw syntaxError(start, 'the quote is never closed');
    }
    if (piece === '#{') text += rubyText(takeRuby(reader), (message) => complain(place, message));
    else if (piece.length === 2) text += escaped(piece[1]!, place);
    else text += piece;
  }
}

export function endLine(reader: TextReader): void {
  if (reader.take(LINE_END) === undefined) throw syntaxError(reader.place, 'the end of the line was expected here');
}

function escaped(character: string, place: Place): string {
  if (character === '\n') return '';
  const known = CHARACTERS[character];
  if (known !== undefined) return known;
  if (/[a-zA-Z0-9]/.test(character)) throw syntaxError(place, `'\\${character}' is no escape`);
  return character;
}

/** Up to the brace that closes it; braces and quotes within nest. */
function takeRuby(reader: TextReader): string {
  const start = reader.place;
  let code = '';
  for (let depth = 1; ; ) {
    const piece = reader.take(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[^\n]/y);
    if (piece === undefined) throw syntaxError(start, 'the Ruby code is never closed');
    if (piece === '{') depth += 1;
    if (piece === '}') depth -= 1;
    if (depth === 0) return code;
    code += piece;
  }
}

/** Up to the bracket that closes it. Comments may stand outside of its strings. Gives the JSON on one line. */
/** fluentd takes it for a hash, and refuses it too. */
const TEMPLATE = 'this stands where a value of a template goes: convert the configuration that was made of it';

function parseJson(reader: TextReader): string {
  const start = reader.place;
  let text = '';
  let depth = 0;
  do {
    const piece = reader.take(/"(?:\\.|[^"\\])*"|#[^\n]*|[\s\S]/y);
    if (piece === undefined) throw syntaxError(start, 'the array or hash is never closed');
    if (piece.startsWith('#')) continue;
    if (piece === '[' || piece === '{') depth += 1;
    if (piece === ']' || piece === '}') depth -= 1;
    text += piece;
  } while (depth > 0);
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    const isTemplate = text.startsWith('{{');
    throw syntaxError(start, isTemplate ? TEMPLATE : 'this array or hash is no valid JSON');
  } finally {
    reader.take(LINE_END);
  }
}
