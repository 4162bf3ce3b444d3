/**
 * What became of an event, as far as a receiver's answer tells.
 *
 * - `delivered`: the receiver has it.
 * - `retry`: send it again, alone or with others, after a pause; without end.
 * - `blocked`: the receiver will take nothing before somebody mends something; slow retry and a loud alarm.
 * - `split`: the request as a whole was refused, perhaps because of one event; a single event is `rejected`.
 * - `rejected`: the receiver will never take this event; it becomes a dead letter.
 */
export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'split'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly reason: string };

export const DELIVERED: Verdict = { kind: 'delivered' };
