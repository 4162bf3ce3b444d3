import type { Config, SinkConfig, TimeField } from '../config/types.ts';
import { EventScanner } from '../event/scanner.ts';
import { Rewriter } from '../route/rewrite.ts';
import { Router } from '../route/router.ts';
import { READ_BYTES } from '../source/segment-reader.ts';
import { EventTime, TIME_PATHS } from './event-time.ts';
import { LineClassifier } from './line-classifier.ts';

/** What reads the lines of one source. */
export interface EventReader {
  /** Holds the fields of the event that was classified last. */
  readonly scanner: EventScanner;
  readonly classifier: LineClassifier;
  /** The event's own time, for the order of segments and for people. */
  readonly eventTime: EventTime;
  /** The time that each sink files an event under, in the order of the sinks; `eventTime` itself where it is that. */
  readonly sinkTimes: readonly EventTime[];
}

/** An HTTP sink gets the event's own time, as files do by default. */
function timeFields(config: SinkConfig): readonly TimeField[] {
  return config.type === 'file' ? config.time : TIME_PATHS;
}

/** Whether they read one time: what stands behind the arrival, which is always known, is never read. */
function readsTheSame(fields: readonly TimeField[], others: readonly TimeField[]): boolean {
  const [read, other] = [fields, others].map((all) =>
    all.slice(0, all.includes('arrival') ? all.indexOf('arrival') : undefined),
  );
  return read!.join() === other!.join();
}

/** A configuration's rules for events, compiled: what their fields and times are, which tag they get and which sinks. */
export class EventRules<S extends { readonly config: SinkConfig }> {
  readonly rewriter: Rewriter;
  readonly router: Router<S>;
  readonly #sinks: readonly S[];
  readonly #now: () => number;

  constructor(config: Pick<Config, 'rewrite' | 'rewriteMissing'>, sinks: readonly S[], now: () => number) {
    this.rewriter = new Rewriter(config.rewrite, config.rewriteMissing);
    this.router = new Router(sinks.map((sink) => ({ match: sink.config.match, sink })));
    this.#sinks = sinks;
    this.#now = now;
  }

  /** A reader of its own for each source: it holds the fields of one event. */
  newReader(): EventReader {
    const paths = [...new Set([...this.rewriter.paths, ...TIME_PATHS])];
    const scanner = new EventScanner(paths, READ_BYTES);
    const eventTime = new EventTime(scanner, paths, TIME_PATHS, this.#now);
    return {
      scanner,
      classifier: new LineClassifier(scanner),
      eventTime,
      sinkTimes: this.#sinks.map((sink) => {
        const fields = timeFields(sink.config);
        return readsTheSame(fields, TIME_PATHS) ? eventTime : new EventTime(scanner, paths, fields, this.#now);
      }),
    };
  }
}
