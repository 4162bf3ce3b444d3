import { AuditailError } from '../errors.ts';
import { printable } from '../printable.ts';

/** One thing that is wrong in a configuration file. `line` and `column` count from 1. */
export interface ConfigIssue {
  readonly line: number;
  readonly column: number;
  /** `sinks[0].path`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/**
 * Everything that is wrong in a configuration file, in the order of the file.
 *
 * `message` is one line for each issue, `file:line:column: path: message`, the form that editors and `grep -n` readers
 * know. Code `CONFIG_INVALID`.
 */
export class ConfigError extends AuditailError {
  readonly file: string;
  readonly issues: readonly ConfigIssue[];

  constructor(file: string, issues: readonly ConfigIssue[]) {
    const sorted = issues.toSorted(inFileOrder);
    super('CONFIG_INVALID', sorted.map((issue) => formatIssue(file, issue)).join('\n'));
    this.file = file;
    this.issues = sorted;
  }
}

export function inFileOrder(a: ConfigIssue, b: ConfigIssue): number {
  return a.line - b.line || a.column - b.column;
}

/** `file:line:column: path: message`. Keys and values may hold what a terminal would obey. */
export function formatIssue(file: string, issue: ConfigIssue): string {
  const where = `${file}:${issue.line}:${issue.column}: `;
  return where + printable(issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`);
}

export type IssuePath = readonly (string | number)[];

/** `['sinks', 0, 'path']` as `sinks[0].path`; a key that is no plain word is quoted, so that no name hides a line break. */
export function formatPath(path: IssuePath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part.length > 64 ? `${part.slice(0, 64)}…` : part)}]`;
  }
  return text;
}
