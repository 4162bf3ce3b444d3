import { AuditailError } from '../errors.ts';
import { parseFieldPath } from '../event/field-path.ts';
import { compilePattern } from '../route/linear-regexp.ts';
import { compilePathTemplate } from '../route/path-template.ts';
import { Rewriter } from '../route/rewrite.ts';
import { compileTagPattern } from '../route/tag-pattern.ts';
import { parseTagTemplate } from '../route/tag-template.ts';
import type { IssuePath } from './config-error.ts';
import { httpTemplates } from './http-templates.ts';
import type { Problem } from './problem.ts';
import type { HttpSinkConfig, RewriteRule } from './types.ts';
import type { Entry, ValidParts } from './valid-parts.ts';

/** Checks all text that has a grammar of its own: patterns, field paths, templates, time zones. */
export function syntaxProblems(parts: ValidParts): Problem[] {
  const problems = parts.rewrite.flatMap(ruleProblems);
  const missing = parts.rewriteMissing;
  if (missing !== undefined) {
    problems.push(
      ...check(['rewrite_missing'], 'a tag template', () => parseTagTemplate(missing, { captures: false })),
    );
  }
  for (const { index, value: sink } of parts.fileSinks) {
    const at = ['sinks', index];
    problems.push(
      ...check([...at, 'match'], 'a tag pattern', () => compileTagPattern(sink.match)),
      ...check([...at, 'timezone'], 'an IANA time zone', () => compilePathTemplate('/%H', sink.timezone)),
      // With a zone that is known to exist, so that a wrong zone and a wrong template are two errors.
      ...check([...at, 'path'], 'a path template', () => compilePathTemplate(sink.path, 'UTC')),
    );
  }
  return [...problems, ...parts.httpSinks.flatMap(httpTextProblems)];
}

function httpTextProblems({ index, value: sink }: Entry<HttpSinkConfig>): Problem[] {
  const at = ['sinks', index];
  const templates = httpTemplates(sink).map(({ key, what, compile }) => check([...at, ...key], what, compile));
  return [...check([...at, 'match'], 'a tag pattern', () => compileTagPattern(sink.match)), ...templates.flat()];
}

function ruleProblems({ index, value: rule }: Entry<RewriteRule>): Problem[] {
  const at = ['rewrite', index];
  const problems = [
    ...check([...at, 'match'], 'a tag pattern', () => compileTagPattern(rule.match)),
    ...check([...at, 'key'], 'a field path', () => parseFieldPath(rule.key)),
    ...check([...at, 'pattern'], 'a regular expression', () => compilePattern(rule.pattern)),
    ...check([...at, 'tag'], 'a tag template', () => parseTagTemplate(rule.tag, { captures: true })),
  ];
  // What is right by itself may be wrong together: captures that the pattern does not have.
  if (problems.length > 0) return problems;
  const together = check(
    [...at, 'tag'],
    'a tag template with captures that the pattern has',
    () => new Rewriter([rule], ''),
  );
  return together.map((problem) => ({ ...problem, quoted: [[...at, 'pattern']] }));
}

function check(path: IssuePath, what: string, compile: () => unknown): Problem[] {
  try {
    compile();
    return [];
  } catch (error) {
    if (!(error instanceof AuditailError)) throw error;
    const detail = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
    return [{ path, message: `expected ${what}`, detail }];
  }
}
