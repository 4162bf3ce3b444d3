import type { Ledger } from '../checkpoint/ledger.ts';

/** How a source sees a sink. */
export interface SinkPlace {
  readonly name: string;
  /** Undefined: it takes everything that is read, with each commit. */
  readonly pace: SinkPace | undefined;
}

/** A sink that takes at its own pace, and is caught up with later where it cannot keep up. */
export interface SinkPace {
  readonly ledger: Ledger;
  /** Whether it takes another chunk now. */
  readonly hasRoom: boolean;
  /** Whether it is behind what the others have got; told when it changes. */
  behind(isBehind: boolean): void;
}

/** A sink at its own pace, and the range of a segment that others have and it will never get. */
export interface LackingSink {
  readonly name: string;
  readonly pace: SinkPace;
  readonly from: number;
  readonly to: number;
}
