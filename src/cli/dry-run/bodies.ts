import type { HttpSinkConfig } from '../../config/types.ts';
import type { HttpTarget } from './http-target.ts';
import type { Sample, Samples } from './samples.ts';

/** A line for an HTTP sink, before it is made into what the sink sends. */
export interface SampleEvent {
  readonly tag: string;
  /** The event's own time, or that of its arrival, in milliseconds since the epoch. */
  readonly time: number;
  readonly source: string;
  /** The input that it is from, and where it begins in the content. */
  readonly path: string;
  readonly offset: number;
  /** The line without its newline; undefined for one that is too long to be held. */
  readonly content: Buffer | undefined;
  readonly length: number;
  /** Why the line is no event; undefined for an event. */
  readonly reason: string | undefined;
}

/** The body of a request with these events, at least one, as text. */
export type SampleEncoder = (sink: HttpSinkConfig, events: readonly SampleEvent[]) => string;

/** What a sink would send for the lines of one tag that are shown. */
export interface Body {
  readonly tag: string;
  readonly sink: HttpTarget;
  readonly events: number;
  readonly text: string;
}

/** The bodies for all lines that are shown, by tag and then in the order of the sinks. */
export function bodiesOf({ byTag }: Samples, encode: SampleEncoder): Body[] {
  return [...byTag].flatMap(([tag, samples]) => {
    const bySink = new Map<HttpTarget, Sample[]>();
    for (const sample of samples) {
      for (const { http } of sample.targets) {
        if (http !== undefined) bySink.set(http, [...(bySink.get(http) ?? []), sample]);
      }
    }
    return [...bySink].map(([sink, sent]): Body => {
      const events = sent.map(({ event }) => event);
      return { tag, sink, events: events.length, text: encode(sink.config, events) };
    });
  });
}
