import { describeError } from '../errors.ts';
import type { Telemetry } from './telemetry.ts';

/** Counters that alerts and dashboards watch, with their help texts. */
const WATCHED = {
  dead_letters_dropped_total: 'Dead letters that made room for newer ones',
  spool_errors_total: 'Failed writes to the spool',
  spool_dropped_events_total: 'Spooled events that made room for newer ones',
  spool_damaged_total: 'Parts of the spool that could not be read',
  http_delivered_events_total: 'Events that the receiver took',
} as const;

/** Counters by reason; one each is there from the start, so that nobody takes them for missing. */
const RETRIES = { name: 'http_retries_total', help: 'Requests, or parts of them, that are tried again' };
const BLOCKED = {
  name: 'http_blocked_total',
  help: 'Requests that the receiver refused until somebody mends something',
};
const DEAD_LETTERS = {
  name: 'dead_letters_total',
  help: 'Events that the receiver will never take and that were put aside',
};

const REQUEST_SECONDS = 'How long requests took of which the receiver took events';

/** Why a request, or an event of it, was not taken: for people, and as the value of a metric's label. */
export interface HttpReason {
  /** What the receiver said; no secret is in it. */
  readonly reason: string;
  /** One of few: `http_503`, or how the connection failed. */
  readonly label: string;
}

/** How an HTTP sink stands, as its occurrences told it. */
export interface HttpStanding {
  /** What the last request met: `blocked` until somebody mends something. */
  readonly receiver: 'taking' | 'away' | 'blocked';
  readonly isSpooling: boolean;
  readonly queueBytes: number;
  readonly spoolEvents: number;
  readonly spoolBytes: number;
}

/** What happens at one HTTP sink: one function an occurrence. Nothing here may hold a secret. */
export class HttpOccurrences {
  readonly #telemetry: Telemetry;
  readonly #sink: string;
  #isAway = false;
  #isBlocked = false;
  #isSpooling = false;
  #queueBytes = 0;
  #spool = { events: 0, bytes: 0 };

  constructor(telemetry: Telemetry, sink: string) {
    this.#telemetry = telemetry;
    this.#sink = sink;
    // A counter that appears with its first event hides that event from increase() and so from alerts.
    for (const [name, help] of Object.entries(WATCHED)) this.#count(name, help, 0);
    telemetry.durations('http_request_seconds', REQUEST_SECONDS, ['sink']).zero({ sink });
    this.#countReason(RETRIES, 'unreachable', 0);
    this.#countReason(BLOCKED, 'http_401', 0);
    this.#countReason(DEAD_LETTERS, 'http_400', 0);
  }

  get standing(): HttpStanding {
    const { events: spoolEvents, bytes: spoolBytes } = this.#spool;
    return {
      receiver: this.#isBlocked ? 'blocked' : this.#isAway ? 'away' : 'taking',
      // What an earlier run left in the spool is sent first, too.
      isSpooling: this.#isSpooling || spoolEvents > 0,
      queueBytes: this.#queueBytes,
      spoolEvents,
      spoolBytes,
    };
  }

  /** The receiver took events. `seconds` is the time from request to answer. */
  delivered(events: number, bytes: number, seconds: number): void {
    this.#count('http_delivered_events_total', WATCHED.http_delivered_events_total, events);
    this.#count('http_delivered_bytes_total', 'Bytes of events that the receiver took, as they were read', bytes);
    this.#telemetry.durations('http_request_seconds', REQUEST_SECONDS, ['sink']).observe({ sink: this.#sink }, seconds);
    if (this.#isAway || this.#isBlocked) {
      // A receiver may refuse every other request for days.
      this.#telemetry.infoLimited(`http_back ${this.#sink}`, { sink: this.#sink }, 'the receiver takes events again');
    }
    this.#isAway = false;
    this.#isBlocked = false;
    this.#setState();
  }

  /** A request failed, or a part of it, and is tried again. */
  retrying({ reason, label }: HttpReason, events: number, delayMs: number): void {
    this.#countReason(RETRIES, label);
    this.#isAway = true;
    this.#setState();
    this.#telemetry.warnLimited(
      `http_retry ${this.#sink}`,
      { sink: this.#sink, reason, events, retry_in_ms: Math.round(delayMs) },
      'the receiver did not take events: they are kept and sent again',
    );
  }

  /** The receiver takes nothing before somebody mends something. */
  blocked({ reason, label }: HttpReason, events: number, delayMs: number): void {
    this.#countReason(BLOCKED, label);
    this.#isBlocked = true;
    this.#setState();
    const suppressKey = `http_blocked ${this.#sink}`;
    this.#telemetry.warnLimited(
      suppressKey,
      { event: 'sink_blocked', sink: this.#sink, reason, events, retry_in_ms: Math.round(delayMs) },
      'the receiver refuses everything until this is mended: nothing is dropped, it is tried again slowly',
    );
  }

  /** Changed TLS files do not fit together (yet): new connections are made with what was read before. */
  tlsFilesKept(error: unknown): void {
    this.#count('http_tls_files_kept_total', 'Looks at changed TLS files that could not be used');
    this.#telemetry.warnLimited(
      `http_tls_files ${this.#sink}`,
      { event: 'tls_files_kept', sink: this.#sink, error: describeError(error) },
      'changed TLS files cannot be used: what was read before stays in use',
    );
  }

  /** A request was refused as a whole and is sent again in two halves. */
  split(reason: string, events: number): void {
    this.#count('http_splits_total', 'Requests that were refused as a whole and sent again in halves');
    this.#telemetry.log.debug({ sink: this.#sink, reason, events }, 'request split');
  }

  deadLettered(events: number, { reason, label }: HttpReason): void {
    this.#countReason(DEAD_LETTERS, label, events);
    this.#telemetry.warnLimited(
      `dead_letter ${this.#sink}`,
      { event: 'dead_letter', sink: this.#sink, events, reason },
      'the receiver rejected events: they are kept as dead letters (auditail deadletter list)',
    );
  }

  /** Dead letters that could not be kept: their events stay where they are, and the sink stands still. */
  deadLettersStuck(error: unknown): void {
    this.#telemetry.warnLimited(
      `dead_letter_stuck ${this.#sink}`,
      { event: 'dead_letters_stuck', sink: this.#sink, error: describeError(error) },
      'dead letters cannot be kept: the sink waits',
    );
  }

  /** Old dead letters made room for new ones, as `overflow: drop_oldest` says. */
  deadLettersDropped(events: number): void {
    this.#count('dead_letters_dropped_total', WATCHED.dead_letters_dropped_total, events);
    this.#telemetry.warnLimited(
      `dead_letters_dropped ${this.#sink}`,
      { sink: this.#sink, events },
      'the oldest dead letters were dropped to make room',
    );
  }

  /** Lines that are no events were left out, as `unparsed: skip` says. */
  unparsedSkipped(events: number): void {
    this.#count('http_unparsed_skipped_total', 'Lines that are no events and were not sent', events);
  }

  spooling(reason: string): void {
    this.#isSpooling = true;
    this.#telemetry.warnLimited(
      `spooling ${this.#sink}`,
      { event: 'spooling', sink: this.#sink, reason },
      'the receiver is away or too slow: events go to the spool',
    );
  }

  spoolDrained(): void {
    this.#isSpooling = false;
    const fields = { event: 'spool_drained', sink: this.#sink };
    this.#telemetry.infoLimited(`spool_drained ${this.#sink}`, fields, 'the spool is sent');
  }

  spoolFull(bytes: number): void {
    this.#telemetry.warnLimited(
      `spool_full ${this.#sink}`,
      { event: 'spool_full', sink: this.#sink, bytes },
      'the spool is full: further events wait in the log, and are lost only when its rotated parts are deleted',
    );
  }

  spoolFailed(error: unknown): void {
    this.#count('spool_errors_total', WATCHED.spool_errors_total);
    this.#telemetry.warnLimited(
      `spool_failed ${this.#sink}`,
      { sink: this.#sink, error: describeError(error) },
      'the spool cannot be written: events wait in the log',
    );
  }

  /** The oldest spooled events made room, as `overflow: drop_oldest` says. Never rate-limited: evidence is gone. */
  spoolDropped(events: number, bytes: number): void {
    this.#count('spool_dropped_events_total', WATCHED.spool_dropped_events_total, events);
    this.#telemetry.log.error(
      { event: 'spool_dropped', sink: this.#sink, events, bytes },
      'the spool is full: its oldest events were dropped, as its overflow says',
    );
  }

  /** A part of the spool cannot be read. */
  spoolDamaged(path: string, reason: string, kept: string): void {
    this.#count('spool_damaged_total', WATCHED.spool_damaged_total);
    this.#telemetry.log.error(
      { event: 'spool_damaged', sink: this.#sink, path, reason, kept },
      'a part of the spool is damaged: it was put aside, and the rest is sent',
    );
  }

  /** What a crash left of the last write was cut off; its events are read from the log again. */
  spoolTailCut(path: string, bytes: number): void {
    this.#telemetry.log.info({ sink: this.#sink, path, bytes }, 'unfinished end of the spool cut off');
  }

  spoolSize(events: number, bytes: number): void {
    this.#spool = { events, bytes };
    const labels = { sink: this.#sink };
    this.#telemetry.gauge('spool_events', 'Events in the spool', ['sink']).set(labels, events);
    this.#telemetry.gauge('spool_bytes', 'Bytes in the spool', ['sink']).set(labels, bytes);
  }

  queueSize(bytes: number): void {
    this.#queueBytes = bytes;
    this.#telemetry
      .gauge('http_queue_bytes', 'Bytes of events in memory for the sink', ['sink'])
      .set({ sink: this.#sink }, bytes);
  }

  deadLetterSize(events: number, bytes: number): void {
    const labels = { sink: this.#sink };
    this.#telemetry.gauge('dead_letters', 'Dead letters that are kept', ['sink']).set(labels, events);
    this.#telemetry.gauge('dead_letter_bytes', 'Bytes of dead letters that are kept', ['sink']).set(labels, bytes);
  }

  /** The sink does not take what is read now; it catches up from the log by itself. */
  fellBehind(): void {
    this.#telemetry.log.info(
      { event: 'fell_behind', sink: this.#sink },
      'the sink is behind: it reads the log by itself',
    );
  }

  caughtUp(): void {
    this.#telemetry.log.info({ event: 'caught_up', sink: this.#sink }, 'the sink has caught up with the log');
  }

  #setState(): void {
    const labels = { sink: this.#sink };
    this.#telemetry
      .gauge('http_receiver_away', '1 while the last request to the receiver failed', ['sink'])
      .set(labels, this.#isAway ? 1 : 0);
    this.#telemetry
      .gauge('http_receiver_blocked', '1 while the receiver refuses everything until somebody mends something', [
        'sink',
      ])
      .set(labels, this.#isBlocked ? 1 : 0);
  }

  #countReason({ name, help }: { name: string; help: string }, reason: string, by = 1): void {
    this.#telemetry.counter(name, help, ['sink', 'reason']).inc({ sink: this.#sink, reason }, by);
  }

  #count(name: string, help: string, by = 1): void {
    this.#telemetry.counter(name, help, ['sink']).inc({ sink: this.#sink }, by);
  }
}
