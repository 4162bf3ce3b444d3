import type { Look } from './look.ts';
import type { Rates } from './rates.ts';

/** `attention`: what an operator should look at stands first. */
export const SORTS = ['attention', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/** What the screen shows. */
export interface View {
  /** Where the agent is asked, as in a configuration. */
  readonly place: string;
  /** The last one that was answered. */
  readonly look: Look | undefined;
  /** Of the looks up to that one. */
  readonly rates: Pick<Rates, 'perSecond'>;
  /** Why the newest look failed. */
  readonly failure: Error | undefined;
  /** Since the last look that was answered; undefined before there was one. */
  readonly secondsOld: number | undefined;
  /** It is late: the agent has not answered for longer than looks are apart. */
  readonly isWaiting: boolean;
  readonly isPaused: boolean;
  readonly intervalMs: number;
  readonly sort: Sort;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}
