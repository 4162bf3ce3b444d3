import os from 'node:os';
import { ConfigError, type ConfigIssue, formatPath, type IssuePath } from './config-error.ts';
import { crossProblems } from './cross-checks.ts';
import { expandEnvironment } from './environment.ts';
import { describeFound, valueAt } from './found-value.ts';
import { httpKeyProblems } from './http-key-checks.ts';
import { defaultThreads } from './limits.ts';
import type { Problem } from './problem.ts';
import { CONFIG_SCHEMA } from './schema.ts';
import { schemaProblems } from './schema-problems.ts';
import { mayBeSecret } from './secret-paths.ts';
import { syntaxProblems } from './syntax-checks.ts';
import type { Config } from './types.ts';
import { validParts } from './valid-parts.ts';
import { type Position, YamlDocument } from './yaml-document.ts';

const REPEATED = 'this key stands twice in its mapping';

export interface ParseOptions {
  /** The file's name as messages show it. */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  /** Cores that the agent may use; those of the machine unless given. */
  readonly cores?: number;
}

export interface ParsedConfig {
  readonly config: Config;
  /** Where the file says what is at `path`, or would say it. */
  locate(path: IssuePath): Position;
}

/** Checks a configuration's text; see {@link parseConfigDocument}. */
export function parseConfig(text: string, options: ParseOptions): Config {
  return parseConfigDocument(text, options).config;
}

/**
 * Checks a configuration's text and gives it with defaults filled in, units converted, and frozen through and through.
 * Throws one {@link ConfigError} with everything that is wrong.
 */
export function parseConfigDocument(text: string, options: ParseOptions): ParsedConfig {
  const document = new YamlDocument(text, options.file);
  const raw = document.value ?? {};
  const { value, problems: unset } = expandEnvironment(raw, options.env);
  const checked = CONFIG_SCHEMA.safeParse(value);
  const parts = validParts(value);
  const problems: Problem[] = [
    ...unset.map(({ path, message }) => ({ path, message, complete: true })),
    ...(checked.success ? [] : schemaProblems(checked.error, value)),
    ...httpKeyProblems(value),
    ...syntaxProblems(parts),
    ...crossProblems(parts),
  ];
  const issues = [
    ...document.duplicates.map(({ path, position }) => ({ ...position, path: formatPath(path), message: REPEATED })),
    ...reported(problems, document, raw, value),
  ];
  if (issues.length > 0 || !checked.success) throw new ConfigError(options.file, issues);
  const threads = checked.data.threads ?? defaultThreads(options.cores ?? os.availableParallelism());
  const { state_dir, memory_limit, shutdown_timeout, rewrite_missing, ...rest } = checked.data;
  const config: Config = {
    ...rest,
    threads,
    stateDir: state_dir,
    memoryLimit: memory_limit,
    shutdownTimeoutMs: shutdown_timeout,
    rewriteMissing: rewrite_missing,
  };
  return { config: deepFreeze(config), locate: (path) => document.locate(path) };
}

/** Adds place and found value. Of several problems of one value the first is told; the others mostly follow from it. */
function reported(problems: Problem[], document: YamlDocument, raw: unknown, value: unknown): ConfigIssue[] {
  const issues = new Map<string, ConfigIssue>();
  for (const problem of problems) {
    const path = formatPath(problem.shown ?? problem.path);
    const { line, column } = document.locate(problem.path, problem.atKey === true ? 'key' : 'value');
    const issue = { line, column, path, message: withFound(problem, raw, value) };
    const key = problem.atKey === true ? `${path} ${line}:${column}` : path;
    if (!issues.has(key)) issues.set(key, issue);
  }
  return [...issues.values()];
}

function withFound(problem: Problem, raw: unknown, value: unknown): string {
  if (problem.complete === true) return problem.message;
  const found = valueAt(raw, problem.path);
  if (found === undefined) return `is missing: ${problem.message}`;
  const isExpanded = (path: IssuePath) => {
    const written = valueAt(raw, path);
    return typeof written === 'string' && written !== valueAt(value, path);
  };
  const expanded = [problem.path, ...(problem.quoted ?? [])].some(isExpanded);
  if (problem.detail !== undefined && !expanded) return problem.detail;
  const isHidden = mayBeSecret(problem.path) && (typeof found !== 'object' || found === null);
  if (isHidden) return `${problem.message}; what was found is not shown, as it may be a secret`;
  return `${problem.message}, found ${describeFound(found)}${expanded ? ' with the environment filled in' : ''}`;
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
