import { errorCode } from '../errors.ts';
import { http } from '../node-http.ts';

/** What is no error of the system, or has no code. */
const OTHER = 'other';

/** A metric's `reason` for an error of the system: its code (`EACCES`, `ENOSPC`, …), of which there are few. */
export function errorReason(error: unknown): string {
  const code = errorCode(error);
  return code !== undefined && /^E[A-Z0-9]{2,}$/.test(code) ? code : OTHER;
}

/** A metric's `reason` for an answer: `http_503`. A receiver can make up no more of them than there are statuses. */
export function statusReasonLabel(status: number): string {
  return http.STATUS_CODES[status] === undefined ? OTHER : `http_${status}`;
}
