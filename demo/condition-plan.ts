import { type ChaosAct, type ChaosWeights, NOTHING_REJECTED } from './receivers/chaos-schedule.ts';

/** In what condition a receiver is. */
export type Condition = 'well' | 'closed' | 'overloaded' | 'broken' | 'everything';

/** The conditions in words. */
export const DESCRIPTIONS: Readonly<Record<Condition, string>> = {
  well: 'well',
  closed: 'port closed',
  overloaded: '429, 503, refused items',
  broken: 'resets, hangs, broken answers',
  everything: 'all that can go wrong',
};

/** What a receiver does in its conditions; nothing of it makes a dead letter of an event. */
export const WEIGHTS: Readonly<Record<Exclude<Condition, 'well' | 'closed'>, ChaosWeights>> = {
  overloaded: amid('partial-busy', 'status-408', 'status-429-seconds', 'status-500', 'status-503'),
  broken: amid('drip', 'reset-unread', 'reset-before', 'reset-after', 'hang', 'cut', 'endless', 'flood'),
  everything: NOTHING_REJECTED,
};

export interface PlannedChange {
  /** When the writer has written this share of its events. */
  readonly at: number;
  readonly condition: Condition;
}

/** Each receiver has all conditions, at other times than the other one, and is well again before the writer is done. */
export const CONDITION_PLANS = {
  elasticsearch: plan([0.05, 'overloaded'], [0.2, 'closed'], [0.35, 'broken'], [0.55, 'well'], [0.65, 'everything']),
  ndjson: plan([0.1, 'broken'], [0.3, 'well'], [0.4, 'everything'], [0.6, 'overloaded'], [0.75, 'closed']),
} as const;

function plan(...changes: readonly [number, Condition][]): readonly PlannedChange[] {
  return [...changes, [0.9, 'well'] as const].map(([at, condition]) => ({ at, condition }));
}

/** These acts, and as many requests that are accepted. */
function amid(...acts: readonly ChaosAct[]): ChaosWeights {
  return { ...Object.fromEntries(acts.map((act) => [act, 1])), accept: acts.length };
}
