import { AuditailError, errorCode } from '../../../errors.ts';

/** `SPOOL_NO_SPACE` where the disk is full, else `SPOOL_WRITE`; the system's error is the cause. */
export function spoolWriteError(directory: string, error: unknown): AuditailError {
  if (error instanceof AuditailError) return error;
  if (['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) {
    return new AuditailError('SPOOL_NO_SPACE', `there is no space for the spool in ${directory}`, {
      cause: error,
      hint: 'Free some, or lower spool.max_bytes; until then events wait in the log',
    });
  }
  return new AuditailError('SPOOL_WRITE', `cannot write the spool in ${directory}`, {
    cause: error,
    hint: 'The agent needs to read and write it (state_dir); until then events wait in the log',
  });
}

/** There is no room, as `Spool.hasRoom` says. */
export function spoolFullError(directory: string): AuditailError {
  return new AuditailError('SPOOL_FULL', `the spool in ${directory} is full`, {
    hint: 'Further events wait in the log until the receiver takes some; spool.max_bytes is the limit',
  });
}
