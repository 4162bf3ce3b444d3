/** RFC 3339 in UTC; null for what is unknown. */
export function isoTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}
