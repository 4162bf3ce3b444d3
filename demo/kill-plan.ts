import { Random } from '../bench/random.ts';

export const KILLS = 7;

/** The agent stays away for at most this long; with its start that is far below the window until backups are pruned. */
const MAX_AWAY_MS = 900;

export interface PlannedKill {
  /** Kill when the writer has written so many events, and a moment later. */
  readonly atEvents: number;
  readonly delayMs: number;
  /** Time from the kill to the next start. */
  readonly awayMs: number;
  /** Stops it with SIGTERM instead, as an upgrade does: it has to end with exit code 0. */
  readonly gentle?: boolean;
}

/**
 * Seeded random moments, from soon after the first event to some time before the last, which the agent meets alive. One kill follows the one before it at once, so that it
 * hits an agent that is still starting.
 */
export function planKills(seed: number, events: number): PlannedKill[] {
  const random = new Random(seed);
  const moments = Array.from({ length: KILLS - 1 }, () => Math.floor(events * (0.04 + 0.84 * random.float())));
  moments.sort((a, b) => a - b);
  const twice = random.below(moments.length);
  moments.splice(twice, 0, moments[twice]!);
  return moments.map((atEvents, i) => ({
    atEvents,
    delayMs: random.below(i === twice + 1 ? 150 : 60),
    awayMs: 20 + random.below(MAX_AWAY_MS),
  }));
}
