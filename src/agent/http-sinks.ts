import type { Database } from '../checkpoint/database.ts';
import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SpoolRecords } from '../checkpoint/spool-records.ts';
import { isSameConfig } from '../config/same-config.ts';
import type { Config, Durability, HttpSinkConfig } from '../config/types.ts';
import type { HttpSink } from '../sink/http/http-sink.ts';
import type { HttpOccurrences } from '../telemetry/http-occurrences.ts';

/** Part of the time for an end that receivers have for what is in memory; the rest is for spooling and storing. */
const GRACE_SHARE = 0.5;

interface Made {
  readonly target: HttpSink;
  readonly occurrences: HttpOccurrences;
}

interface Kept extends Made {
  readonly config: HttpSinkConfig;
  readonly durability: Durability;
  isDrained: boolean;
}

export interface HttpSinksDeps {
  readonly db: Database;
  readonly segments: SegmentRecords;
  readonly spools: SpoolRecords;
  readonly create: (config: HttpSinkConfig, options: { durability: Durability; share: number }) => Made;
}

/**
 * The HTTP sinks of one agent after another. One whose configuration a reload leaves alone stays as it is: its connections,
 * what it holds in memory, its requests in flight and its place in each segment.
 */
export class HttpSinks {
  readonly #deps: HttpSinksDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: HttpSinksDeps) {
    this.#deps = deps;
  }

  /** The sink for this configuration: the one that is there, or a new one, for the agent to start. */
  get(config: HttpSinkConfig, { durability, share }: { durability: Durability; share: number }): Made {
    const kept = this.#kept.get(config.name);
    if (kept === undefined) {
      const made = this.#deps.create(config, { durability, share });
      this.#kept.set(config.name, { ...made, config, durability, isDrained: false });
      return made;
    }
    if (!fits(kept, config, durability)) throw new Error(`the sink ${config.name} of the agent before is still there`);
    kept.target.feedFrom(share);
    return kept;
  }

  /**
   * Between two agents: drains and closes the sinks that the configuration does not leave as they are; gives their names.
   *
   * @param failed told when their places cannot be stored: what they took last comes again.
   */
  async letGo({ sinks, commit, shutdownTimeoutMs }: Config, failed: (error: unknown) => void): Promise<string[]> {
    const configs = new Map(sinks.map((sink) => [sink.name, sink]));
    const leaving = [...this.#kept.values()].filter((kept) => {
      const config = configs.get(kept.config.name);
      return config?.type !== 'http' || !fits(kept, config, commit.durability);
    });
    await this.#drain(leaving, shutdownTimeoutMs).catch(failed);
    for (const { config, target } of leaving) {
      await target.close();
      this.#kept.delete(config.name);
    }
    return leaving.map(({ config }) => config.name);
  }

  /** Delivers or spools what the sinks hold, and stores what they have taken. May be repeated. @param withinMs for all of that, roughly */
  drain(withinMs: number): Promise<void> {
    return this.#drain([...this.#kept.values()], withinMs);
  }

  /** Closes them at once; what they have not taken is read again at the next start. */
  async close(): Promise<void> {
    for (const { target } of this.#kept.values()) await target.close();
    this.#kept.clear();
  }

  async #drain(some: readonly Kept[], withinMs: number): Promise<void> {
    const sinks = some.filter(({ target, isDrained }) => target.isStarted && !isDrained);
    if (sinks.length === 0) return;
    await Promise.all(sinks.map(({ target }) => target.drain(withinMs * GRACE_SHARE)));
    const { db, segments, spools } = this.#deps;
    const places = new Map(sinks.map((sink) => [sink, sink.target.spoolPlace()]));
    db.transaction(() => {
      for (const [{ config, target }, place] of places) {
        const { ledger } = target;
        segments.saveTaken(
          config.name,
          ledger.segments().map((segment) => [segment, ledger.takenTo(segment)!]),
        );
        if (place !== undefined) spools.save(config.name, place);
      }
    }).immediate();
    for (const [sink, place] of places) {
      sink.isDrained = true;
      if (place !== undefined) await sink.target.spoolCommitted(place);
    }
  }
}

/** A spool is as durable as it was opened. One that is broken is not kept. */
function fits(kept: Kept, config: HttpSinkConfig, durability: Durability): boolean {
  if (kept.isDrained || kept.target.failure !== undefined) return false;
  return kept.durability === durability && isSameConfig(kept.config, config);
}
