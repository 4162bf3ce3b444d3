import type { Ledger } from '../checkpoint/ledger.ts';
import type { Source } from '../source/source.ts';
import type { HttpEventSink } from './event-sink.ts';

/** Where a sink stands in a segment that no source has. */
export interface LeftPlace {
  readonly sink: string;
  readonly ledger: Ledger;
  readonly segment: number;
  readonly offset: number;
}

/**
 * Places of sinks at their own pace in segments that no source has now: a reload took the source away, and the sink
 * still holds events of it. They are delivered all the same, and are not to come again when the source is back.
 */
export class LeftPlaces {
  readonly #sinks: readonly HttpEventSink[];
  readonly #sources: readonly Source[];
  /** What is durable, as far as it was stored here. */
  readonly #stored = new WeakMap<Ledger, Map<number, number>>();

  constructor(sinks: readonly HttpEventSink[], sources: readonly Source[]) {
    this.#sinks = sinks;
    this.#sources = sources;
  }

  /** What a commit has to store of them now. */
  news(): LeftPlace[] {
    if (this.#sinks.length === 0) return [];
    const kept = this.#segmentsOfSources();
    return this.#sinks.flatMap(({ config: { name: sink }, target: { ledger } }) =>
      ledger.segments().flatMap((segment) => {
        const offset = ledger.takenTo(segment)!;
        // A source that has it stores it, too: what was stored here is out of date.
        if (kept.has(segment)) this.#stored.get(ledger)?.delete(segment);
        else if (this.#stored.get(ledger)?.get(segment) !== offset) return [{ sink, ledger, segment, offset }];
        return [];
      }),
    );
  }

  /** The commit that stored them is durable. A sink that has taken all that it was handed goes on from there. */
  committed(places: readonly LeftPlace[]): void {
    if (places.length === 0) return;
    const kept = this.#segmentsOfSources();
    for (const { ledger, segment, offset } of places) {
      const stored = this.#stored.get(ledger) ?? new Map<number, number>();
      this.#stored.set(ledger, stored.set(segment, offset));
      if (kept.has(segment) || ledger.handedTo(segment) !== offset || ledger.takenTo(segment) !== offset) continue;
      ledger.forget(segment);
      stored.delete(segment);
    }
  }

  #segmentsOfSources(): ReadonlySet<number> {
    return new Set(this.#sources.flatMap((source) => source.segments().map(({ id }) => id)));
  }
}
