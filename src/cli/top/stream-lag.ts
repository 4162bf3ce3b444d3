import type { SourceStatus, StreamStatus } from '../../admin/agent-status.ts';
import { timeAt } from '../../admin/source-lag.ts';

/** What one sink has yet to take of one log, or the sink that has yet to take most. */
export interface Lag {
  readonly sink: string;
  readonly bytes: number;
  /** The age of the oldest event among them. */
  readonly seconds: number;
}

/** Lags below these come and go with each line: who has them does not change places for that. */
const NOTABLE_SECONDS = 10;
const NOTABLE_BYTES = 1024 * 1024;

/** For sorting: the older one first, then the larger one. */
export function compareLags(one: Omit<Lag, 'sink'> | undefined, other: Omit<Lag, 'sink'> | undefined): number {
  const notable = (value = 0, least: number) => (value >= least ? value : 0);
  return (
    notable(other?.seconds, NOTABLE_SECONDS) - notable(one?.seconds, NOTABLE_SECONDS) ||
    notable(other?.bytes, NOTABLE_BYTES) - notable(one?.bytes, NOTABLE_BYTES)
  );
}

/** The sink that lacks the oldest event of a source, and what it lacks; undefined when none lacks anything. */
export function largestLag(lags: readonly Lag[]): Lag | undefined {
  const [first] = lags.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.seconds - a.seconds || b.bytes - a.bytes);
  return first;
}

/**
 * What each sink has yet to take of one log of a source. Seconds are estimated as the agent does it for the source as a
 * whole, and are never more than it says for that.
 *
 * @param time of the status, RFC 3339
 */
export function streamLags({ lag: whole }: Pick<SourceStatus, 'lag'>, { segments }: StreamStatus, time: string): Lag[] {
  return whole.map(({ sink, seconds: most }) => {
    let bytes = 0;
    let seconds = 0;
    for (const { read: position, first_event: first, last_event: last, sinks } of segments) {
      const taken = sinks.find((one) => one.sink === sink);
      if (taken === undefined || taken.lag === 0) continue;
      bytes += taken.lag;
      const known = { position, firstTime: epoch(first), lastTime: epoch(last) };
      const oldest = timeAt(known, taken.offset);
      if (oldest !== undefined) seconds = Math.max(seconds, (Date.parse(time) - oldest) / 1000);
    }
    return { sink, bytes, seconds: Math.min(seconds, most) };
  });
}

function epoch(time: string | null): number | undefined {
  return time === null ? undefined : Date.parse(time);
}
