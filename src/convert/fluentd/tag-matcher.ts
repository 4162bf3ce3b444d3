import { AuditailError } from '../../errors.ts';
import { compileTagPattern } from '../../route/tag-pattern.ts';

/** A pattern as a test of a tag; without one every tag passes. One that is broken is complained of, and takes nothing. */
export function tagMatcher(pattern: string, complain?: (message: string) => void): (tag: string) => boolean {
  try {
    return compileTagPattern(pattern === '' ? '**' : pattern);
  } catch (error) {
    if (!(error instanceof AuditailError)) throw error;
    complain?.(error.message);
    return () => false;
  }
}
