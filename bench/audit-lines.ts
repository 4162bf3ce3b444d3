import { AuditEvents } from './audit-events.ts';

const MEAN_BYTES = 1500;

export interface AuditLine {
  readonly tag: string;
  /** Without its newline. */
  readonly bytes: Buffer;
}

/** About `limit` bytes of made-up audit events, with the tags that the namespace rule gives them. */
export function auditLines(limit: number): AuditLine[] {
  const made: AuditLine[] = [];
  let bytes = 0;
  for (const text of new AuditEvents({ count: Math.ceil(limit / MEAN_BYTES), meanBytes: MEAN_BYTES })) {
    const line = Buffer.from(text);
    const namespace = /"namespace":"([^"]+)"/.exec(text)?.[1] ?? '_none';
    made.push({ tag: `audit.${namespace}`, bytes: line });
    bytes += line.length + 1;
    if (bytes >= limit) break;
  }
  return made;
}
