/**
 * An error that an operator can act on: what failed, on what, why, and the way out.
 *
 * `message` is one sentence. `hint` is what to do about it, as a sentence or a command. `code` is stable and for
 * programs (tests, exit codes); it never changes once released.
 */
export class AuditailError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AuditailError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** The `code` of a system error (`ENOSPC`, `EIO`, …) or of an {@link AuditailError}; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** One line for logs and stderr: the message, its causes, and the hint. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  let text = error.message;
  if (error.cause instanceof Error && !text.includes(error.cause.message)) text += `: ${describeError(error.cause)}`;
  if (error instanceof AuditailError && error.hint !== undefined) text += `. ${error.hint}`;
  return text;
}
