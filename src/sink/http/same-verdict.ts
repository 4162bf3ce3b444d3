import type { HttpEvent } from './http-event.ts';
import type { Verdict } from './verdict.ts';

/** What was said of the request as a whole holds for each of its events. */
export function sameVerdict(verdict: Verdict, events: readonly HttpEvent[]): readonly Verdict[] {
  return events.map(() => verdict);
}
