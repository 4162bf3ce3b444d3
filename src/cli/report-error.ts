import { inspect } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import { AuditailError, describeError } from '../errors.ts';
import type { ExitCode } from './command.ts';

/** Codes of errors that the caller of the program can put right by calling it differently. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'CONFIG_INVALID',
  'CONFIG_READ',
  'CONVERT_READ',
  'CONVERT_SYNTAX',
  'IMPORT_FORMAT',
  'IMPORT_READ',
  'USAGE',
]);

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof AuditailError && USAGE_CODES.has(error.code) ? 2 : 1;
}

/** What stderr gets: one sentence with the way out, or one line for each error of a configuration. */
export function formatError(error: unknown, env: NodeJS.ProcessEnv): string {
  if (env.AUDITAIL_DEBUG && error instanceof Error) return `${inspect(error)}\n`;
  if (error instanceof ConfigError) return `${error.message}\n`;
  return `auditail: ${describeError(error)}\n`;
}
