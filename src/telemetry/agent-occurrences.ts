import { describeError } from '../errors.ts';
import type { Telemetry } from './telemetry.ts';

/** Counters that alerts and dashboards watch, with their help texts. */
const WATCHED = {
  rewinds_total: 'Returns to the last commit after an I/O error',
  commits_total: 'Commits',
  unrouted_events_total: 'Events whose tag no sink matches',
} as const;

const COMMIT_SECONDS = 'How long commits took';

/** What happens to events on their way, and to the agent as a whole: one function an occurrence. */
export class AgentOccurrences {
  readonly #telemetry: Telemetry;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
    // A counter that appears with its first event hides that event from increase() and so from alerts.
    for (const [name, help] of Object.entries(WATCHED)) telemetry.counter(name, help);
    telemetry.durations('commit_seconds', COMMIT_SECONDS);
  }

  eventsTaken(source: string, events: number, bytes: number): void {
    this.#telemetry
      .counter('received_events_total', 'Events that were read and parsed', ['source'])
      .inc({ source }, events);
    this.#telemetry.counter('received_bytes_total', 'Bytes of lines that were read', ['source']).inc({ source }, bytes);
  }

  blankLines(source: string, count: number): void {
    this.#telemetry.counter('blank_lines_total', 'Blank lines that were skipped', ['source']).inc({ source }, count);
  }

  lineUnparsable(source: string, place: { path: string; offset: number; column: number; reason: string }): void {
    this.#telemetry
      .counter('unparsable_lines_total', 'Lines that are no JSON object; they are kept under the tag _unparsed', [
        'source',
      ])
      .inc({ source });
    this.#telemetry.warnLimited(`unparsable:${place.path}`, { source, ...place }, 'a line is no event: kept as it is');
  }

  otherStreamLines(source: string, count: number): void {
    this.#telemetry
      .counter('other_stream_lines_total', "Lines of a container's log that belong to a stream that is not read", [
        'source',
      ])
      .inc({ source }, count);
  }

  textLines(source: string, count: number): void {
    this.#telemetry
      .counter(
        'text_lines_total',
        "Lines of a container's log that are other text; they are kept under the tag _unparsed",
        ['source'],
      )
      .inc({ source }, count);
  }

  textFound(source: string, place: { path: string; offset: number }): void {
    this.#telemetry.log.info(
      { source, ...place },
      'the container also writes lines that are no events: they are kept, and told once for each file',
    );
  }

  lineTorn(source: string, place: { path: string; offset: number }): void {
    this.#telemetry
      .counter('torn_lines_total', 'Lines on which a whole event stands behind a torn one', ['source'])
      .inc({ source });
    this.#telemetry.warnLimited(`torn:${place.path}`, { source, ...place }, 'recovered an event behind a torn one');
  }

  lineOversize(source: string, place: { path: string; offset: number; bytes: number }): void {
    this.#telemetry
      .counter('oversize_lines_total', 'Lines longer than max_line_bytes; they are kept under the tag _oversize', [
        'source',
      ])
      .inc({ source });
    this.#telemetry.warnLimited(`oversize:${place.path}`, { source, ...place }, 'a line is longer than max_line_bytes');
  }

  unrouted(tag: string, isFirst: boolean): void {
    this.#telemetry.counter('unrouted_events_total', WATCHED.unrouted_events_total).inc();
    if (isFirst) this.#telemetry.log.warn({ tag }, 'no sink matches this tag: its events go nowhere');
  }

  commitDone(seconds: number): void {
    this.#telemetry.counter('commits_total', WATCHED.commits_total).inc();
    this.#telemetry.durations('commit_seconds', COMMIT_SECONDS).observe(seconds);
  }

  rewound(error: unknown, pauseMs: number): void {
    this.#telemetry.counter('rewinds_total', WATCHED.rewinds_total).inc();
    this.#telemetry.log.error(
      { error: describeError(error), retry_in_ms: pauseMs },
      'writing failed: back to the last commit; nothing is lost, the log itself is the buffer',
    );
  }

  recovered(): void {
    this.#telemetry.log.info('writing works again');
  }

  cutTailsKept(cutDir: string): void {
    this.#telemetry.log.warn(
      { path: cutDir },
      'gaps were found after a start: if it cut anything off the archive, that is kept here for good',
    );
  }
}
