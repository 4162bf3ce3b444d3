import type { TroubleStatus } from '../../admin/agent-status.ts';

/** What a warning or an error says in one line, after who logged it: `warn es: the receiver is away (ECONNREFUSED)`. */
export function troubleText({ level, message, sink, source, fields }: TroubleStatus): string {
  const about = sink ?? source;
  const detail = fields.error ?? fields.reason ?? fields.path;
  return `${level} ${about === null ? '' : `${about}: `}${message}${detail === undefined ? '' : ` (${detail})`}`;
}

/** Seconds since it was logged last. @param time of the status, RFC 3339 */
export function troubleAge({ last }: TroubleStatus, time: string): number {
  return Math.max(0, Date.parse(time) - Date.parse(last)) / 1000;
}
