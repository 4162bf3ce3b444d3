import { AuditailError, errorCode } from '../../errors.ts';

/**
 * The error of a failed write as an operator needs it: `ARCHIVE_FULL` where there is no space, `ARCHIVE_CHANGED` and
 * others as they are, else `ARCHIVE_WRITE`; the system's error is the cause.
 */
export function archiveError(path: string, error: unknown): AuditailError {
  if (error instanceof AuditailError) return error;
  if (['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) {
    return new AuditailError('ARCHIVE_FULL', `there is no space for ${path} in the archive`, {
      cause: error,
      hint: 'Free some; until then the log itself is the buffer, and it is read again from the last commit',
    });
  }
  return new AuditailError('ARCHIVE_WRITE', `cannot write ${path} in the archive`, { cause: error });
}

/** What is still asked of an archive that goes back to its last commit. */
export function rewoundError(): AuditailError {
  return new AuditailError('ARCHIVE_REWOUND', 'the archive went back to its last commit');
}
