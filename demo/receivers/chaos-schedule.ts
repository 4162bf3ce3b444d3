import { Random } from '../../bench/random.ts';

/** What a {@link ChaosReceiver} may do with a request. */
export const CHAOS_ACTS = [
  'accept',
  /** The connection is reset: before the body is read; after it was read, or stored, without an answer. */
  'reset-unread',
  'reset-before',
  'reset-after',
  /** No answer, stored or not, until the client gives up. */
  'hang',
  /** The right answer, in drops. */
  'drip',
  /** Single items are refused, with 429 and 503; or also, for good, with 400. */
  'partial-busy',
  'partial-rejected',
  /** 200 with a body that says nothing, stored or not. */
  'garbage',
  /** 200, and the connection ends in the middle of the answer, stored or not. */
  'cut',
  /** The right answer, with a body that goes on for ever: slowly, or as fast as the client reads. */
  'endless',
  'flood',
  /** To a place of the same receiver where nobody should ever send events. */
  'status-302',
  'status-400',
  'status-401',
  'status-404',
  'status-408',
  'status-409',
  'status-413',
  /** With `Retry-After`, in seconds and as a date. */
  'status-429-seconds',
  'status-429-date',
  /** Some of these come after the events were stored. */
  'status-500',
  'status-502',
  'status-503',
] as const;
export type ChaosAct = (typeof CHAOS_ACTS)[number];

/** How often an act comes in one round of a schedule. */
export type ChaosWeights = Readonly<Partial<Record<ChaosAct, number>>>;

/** Acts after which events rightly end as dead letters. */
const REJECTING = new Set<ChaosAct>(['partial-rejected', 'status-400', 'status-409', 'status-413']);

/** Every act in each round, and as many requests that are accepted. */
export const EVERYTHING: ChaosWeights = {
  ...Object.fromEntries(CHAOS_ACTS.map((act) => [act, 1])),
  accept: CHAOS_ACTS.length,
};

/** Everything but what makes dead letters of events that are in order. */
export const NOTHING_REJECTED: ChaosWeights = Object.fromEntries(
  Object.entries(EVERYTHING).filter(([act]) => !REJECTING.has(act as ChaosAct)),
);

/** A seeded sequence of acts, without end: in each round every act as often as it weighs, in random order. */
export class ChaosSchedule {
  readonly seed: number;
  /** For what else is left to chance. */
  readonly random: Random;
  readonly #round: readonly ChaosAct[];
  #left: ChaosAct[] = [];

  /** @throws RangeError when nothing weighs anything. */
  constructor(seed: number, weights: ChaosWeights = EVERYTHING) {
    this.seed = seed;
    this.random = new Random(seed);
    this.#round = CHAOS_ACTS.flatMap((act) => Array<ChaosAct>(weights[act] ?? 0).fill(act));
    if (this.#round.length === 0) throw new RangeError('a schedule needs an act');
  }

  next(): ChaosAct {
    if (this.#left.length === 0) this.#left = shuffled(this.#round, this.random);
    return this.#left.pop()!;
  }
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const mixed = [...values];
  for (let i = mixed.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [mixed[i], mixed[other]] = [mixed[other]!, mixed[i]!];
  }
  return mixed;
}
