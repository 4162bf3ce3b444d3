import type { RewriteRule, Sanitizer } from '../config/types.ts';
import { AuditailError } from '../errors.ts';
import { compilePattern, type LinearPattern } from './linear-regexp.ts';
import { sanitizeCapture } from './sanitize.ts';
import { compileTagPattern } from './tag-pattern.ts';
import { parseTagTemplate, type TagTemplate } from './tag-template.ts';

/** UTF-16 code units of a value that patterns see. */
const MAX_VALUE_LENGTH = 1024;

/** Results remembered over all source tags, and the UTF-16 code units of all values remembered with them. */
const CACHED_RESULTS = 8192;
const CACHED_LENGTH = 1024 * 1024;

const CACHED_SOURCE_TAGS = 256;

/** The routing fields of one event. */
export interface FieldReader {
  /** The value at `Rewriter.paths[index]`; undefined when the event has none. */
  text(index: number): string | undefined;
}

interface Rule {
  readonly matches: (tag: string) => boolean;
  readonly path: number;
  readonly pattern: LinearPattern;
  readonly template: TagTemplate;
  readonly invert: boolean;
  readonly sanitize: Sanitizer | undefined;
}

/** Values of the first path to values of the second, and so on; those of the last path to the new tag. */
interface Results extends Map<string, Results | string> {}

/** What is to be done for one source tag. */
interface Program {
  readonly tag: string;
  readonly rules: readonly Rule[];
  /** Indexes of the paths that the rules look at. */
  readonly paths: readonly number[];
  readonly missing: string;
  readonly results: Results;
}

/**
 * Gives events their tag by the values of their fields, as fluent-plugin-rewrite-tag-filter does: the first rule that
 * takes both the source tag and the value wins. A missing or empty value is taken by no rule, except that one with
 * `invert` takes it when its pattern does not match ''.
 */
export class Rewriter {
  /** Distinct keys of the rules, in their order. */
  readonly paths: readonly string[];
  readonly #rules: readonly Rule[];
  readonly #missing: TagTemplate;
  readonly #programs = new Map<string, Program>();
  #last: Program | undefined;
  #cachedResults = 0;
  #cachedLength = 0;

  /** `missing` is the tag template for what no rule took. Throws `TAG_PATTERN`, `PATTERN` or `TEMPLATE`. */
  constructor(rules: readonly RewriteRule[], missing: string) {
    this.paths = [...new Set(rules.map((rule) => rule.key))];
    this.#rules = rules.map((rule) => compileRule(rule, this.paths.indexOf(rule.key)));
    this.#missing = parseTagTemplate(missing, { captures: false });
  }

  /** How many results are remembered. */
  get cached(): number {
    return this.#cachedResults;
  }

  /** The event's tag. `tag` is its source's. Known values cost one look-up for each path. */
  rewrite(tag: string, fields: FieldReader): string {
    const program = this.#last !== undefined && this.#last.tag === tag ? this.#last : this.#program(tag);
    if (program.paths.length === 0) return program.missing;
    let known: Results | string | undefined = program.results;
    const { paths } = program;
    for (let i = 0; i < paths.length; i += 1) {
      const path = paths[i]!;
      known = (known as Results).get(clip(fields.text(path) ?? ''));
      if (known === undefined) return this.#evaluate(program, fields);
    }
    return known as string;
  }

  #program(tag: string): Program {
    let program = this.#programs.get(tag);
    if (program === undefined) {
      if (this.#programs.size >= CACHED_SOURCE_TAGS) this.#forget();
      const rules = this.#rules.filter((rule) => rule.matches(tag));
      const paths = [...new Set(rules.map((rule) => rule.path))];
      program = { tag, rules, paths, missing: this.#missing.render(tag), results: new Map() };
      this.#programs.set(tag, program);
    }
    this.#last = program;
    return program;
  }

  #evaluate(program: Program, fields: FieldReader): string {
    // Copies: what is remembered must not keep alive the line that a value was cut out of.
    const values = program.paths.map((path) => copy(clip(fields.text(path) ?? '')));
    const result = copy(applyRules(program, values));
    const length = values.reduce((sum, value) => sum + value.length, result.length);
    if (this.#cachedResults >= CACHED_RESULTS || this.#cachedLength + length > CACHED_LENGTH) {
      this.#forget();
      program = this.#program(program.tag);
    }
    remember(program.results, values, result);
    this.#cachedResults += 1;
    this.#cachedLength += length;
    return result;
  }

  #forget(): void {
    this.#programs.clear();
    this.#last = undefined;
    this.#cachedResults = 0;
    this.#cachedLength = 0;
  }
}

function compileRule(rule: RewriteRule, path: number): Rule {
  const pattern = compilePattern(rule.pattern);
  const template = parseTagTemplate(rule.tag, { captures: true });
  if (rule.invert && template.maxCapture > 0) {
    throw new AuditailError('TEMPLATE', `template '${rule.tag}': a rule with invert has no captures`, {
      hint: 'It is used when its pattern does not match; write the tag without $1 to $9',
    });
  }
  if (template.maxCapture > pattern.groups) {
    const reason = `$${template.maxCapture} is used, but the pattern '${rule.pattern}' has ${pattern.groups} groups`;
    throw new AuditailError('TEMPLATE', `template '${rule.tag}': ${reason}`, {
      hint: 'Put the part of the pattern that is to be captured in ( )',
    });
  }
  const matches = compileTagPattern(rule.match);
  return { matches, path, pattern, template, invert: rule.invert, sanitize: rule.sanitize };
}

function applyRules(program: Program, values: readonly string[]): string {
  for (const rule of program.rules) {
    const value = values[program.paths.indexOf(rule.path)]!;
    if (value === '' && !rule.invert) continue;
    const captures = rule.pattern.exec(value);
    if ((captures === undefined) !== rule.invert) continue;
    const used = captures?.slice(0, rule.template.maxCapture) ?? [];
    return rule.template.render(
      program.tag,
      used.map((capture) => sanitizeCapture(capture, rule.sanitize)),
    );
  }
  return program.missing;
}

function remember(results: Results, values: readonly string[], result: string): void {
  for (const value of values.slice(0, -1)) {
    let next = results.get(value);
    if (typeof next !== 'object') {
      next = new Map();
      results.set(value, next);
    }
    results = next;
  }
  results.set(values.at(-1)!, result);
}

/** The part of a value that patterns see; a surrogate pair is not cut in half. */
function clip(value: string): string {
  if (value.length <= MAX_VALUE_LENGTH) return value;
  const last = value.charCodeAt(MAX_VALUE_LENGTH - 1);
  return value.slice(0, last >= 0xd800 && last <= 0xdbff ? MAX_VALUE_LENGTH - 1 : MAX_VALUE_LENGTH);
}

/** The same text in memory of its own: V8's slices and concatenations keep alive what they were made of. */
function copy(text: string): string {
  const narrow = Buffer.from(text, 'latin1').toString('latin1');
  return narrow === text ? narrow : Buffer.from(text, 'utf16le').toString('utf16le');
}
