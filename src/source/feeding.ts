import type { OpenSegment } from './active-segments.ts';
import { CatchUp, type RestOf } from './catch-up.ts';
import type { Stream } from './known-segments.ts';
import type { Segment } from './segment.ts';
import type { SegmentReader } from './segment-reader.ts';
import type { LackingSink, SinkPace, SinkPlace } from './sink-place.ts';

interface Fed {
  readonly index: number;
  readonly name: string;
  readonly pace: SinkPace;
  readonly catchUp: CatchUp;
  wasBehind: boolean;
}

export interface FeedingDeps {
  readonly sinks: readonly SinkPlace[];
  readonly streams: ReadonlyMap<string, Stream>;
  readonly newReader: () => SegmentReader;
  readonly restOf: RestOf;
  /** A sink will never get the lines of the segment before the place of the shared reader. */
  readonly lost: (segment: Segment, sink: LackingSink) => Promise<void>;
  /** Throws what is no read error. */
  readonly trouble: (path: string, error: unknown) => void;
}

/**
 * Which sinks at their own pace get what the shared reader takes: those that have had everything before it and have
 * room. The others are behind, never hold it up, and are handed the rest later, in order.
 */
export class Feeding {
  readonly #deps: FeedingDeps;
  readonly #fed: readonly Fed[];

  constructor(deps: FeedingDeps) {
    this.#deps = deps;
    this.#fed = deps.sinks.flatMap(({ name, pace }, index) =>
      pace === undefined ? [] : [{ index, name, pace, catchUp: new CatchUp(index, pace, deps), wasBehind: false }],
    );
  }

  /** Whether any sink is behind the shared reader. */
  get isBehind(): boolean {
    return this.#fed.some((fed) => this.#isBehind(fed));
  }

  /** Before the shared reader's step: decides for the whole chunk, so that a sink never gets a part of it. */
  begin(stream: Stream, segment: Segment): void {
    for (const { index, pace, catchUp } of this.#fed) {
      const inStep = pace.hasRoom && catchUp.behindIn(stream) === undefined;
      segment.from[index] = inStep ? (pace.ledger.handedTo(segment.id) ?? 0) : Number.POSITIVE_INFINITY;
    }
  }

  /** After the step. */
  end(segment: Segment): void {
    for (const { index, pace } of this.#fed) {
      const from = segment.from[index]!;
      if (from !== Number.POSITIVE_INFINITY) pace.ledger.handed(segment.id, Math.max(from, segment.position));
    }
  }

  /** Hands each sink that is behind and has room one chunk of each stream; whether anything was handed. */
  async catchUp(): Promise<boolean> {
    let progressed = false;
    for (const fed of this.#fed) {
      const isBehind = this.#isBehind(fed);
      if (isBehind !== fed.wasBehind) fed.pace.behind(isBehind);
      fed.wasBehind = isBehind;
      if (!isBehind) continue;
      for (const stream of this.#deps.streams.values()) {
        const segment = fed.pace.hasRoom ? fed.catchUp.behindIn(stream) : undefined;
        if (segment !== undefined) progressed = (await this.#step(fed, segment)) || progressed;
      }
    }
    return progressed;
  }

  async close(): Promise<void> {
    for (const { catchUp } of this.#fed) await catchUp.close();
  }

  #isBehind({ catchUp }: Fed): boolean {
    for (const stream of this.#deps.streams.values()) if (catchUp.behindIn(stream) !== undefined) return true;
    return false;
  }

  async #step({ name, pace, catchUp }: Fed, segment: OpenSegment): Promise<boolean> {
    try {
      const outcome = await catchUp.step(segment);
      if (outcome === 'lost')
        await this.#deps.lost(segment, {
          name,
          pace,
          from: pace.ledger.handedTo(segment.id) ?? 0,
          to: segment.position,
        });
      return outcome !== 'waiting';
    } catch (error) {
      this.#deps.trouble(segment.path, error);
      await catchUp.leave(segment.stream);
      return false;
    }
  }
}
