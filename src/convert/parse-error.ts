import { AuditailError } from '../errors.ts';
import type { Place } from './section.ts';

/** The configuration's text is not of its tool's syntax. Code `CONVERT_SYNTAX`; the message begins with the place. */
export function syntaxError({ file, line, column }: Place, reason: string): AuditailError {
  return new AuditailError('CONVERT_SYNTAX', `${file}:${line}:${column}: ${reason}`);
}
