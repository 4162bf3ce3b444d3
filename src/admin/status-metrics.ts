import { setProcessMetrics } from '../telemetry/process-metrics.ts';
import type { RecentTroubles } from '../telemetry/recent-troubles.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import {
  type AgentStatus,
  type DirectoryStatus,
  HTTP_STATES,
  type HttpSinkStatus,
  type SourceStatus,
} from './agent-status.ts';

/** A sample of a gauge: the values of its labels, and its value. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/**
 * The gauges that are computed for a scrape, out of the same status that `/status` answers. Labels are names from the
 * configuration, so there are as many series as the configuration makes, whatever the log holds.
 */
export class StatusMetrics {
  readonly #telemetry: Telemetry;
  readonly #troubles: RecentTroubles;

  constructor(telemetry: Telemetry, troubles: RecentTroubles) {
    this.#telemetry = telemetry;
    this.#troubles = troubles;
  }

  set(status: AgentStatus): void {
    const { sources, sinks } = status;
    this.#gauge(
      'build_info',
      'Always 1; the version is in the label',
      ['version'],
      [[{ version: status.program.replace('auditail ', '') }, 1]],
    );
    this.#gauge(
      'ready',
      '1 while the agent reads, and can write its archive and state',
      [],
      [[{}, status.unready.length === 0 ? 1 : 0]],
    );
    this.#sources(sources);
    this.#gauge(
      'archive_open_files',
      'Archive files that are open',
      ['sink'],
      sinks.flatMap((sink) => (sink.type === 'file' ? [[{ sink: sink.name }, sink.open_files] as const] : [])),
    );
    this.#gauge(
      'archive_in_flight_bytes',
      'Bytes of events in memory for all archives',
      [],
      [[{}, status.memory.archive_bytes_in_flight]],
    );
    this.#httpSinks(sinks.filter((sink) => sink.type === 'http'));
    this.#disks([
      [{ use: 'state', sink: '' }, status.state],
      ...sinks.flatMap((sink) => (sink.type === 'file' ? [[{ use: 'archive', sink: sink.name }, sink] as const] : [])),
    ]);
    setProcessMetrics(this.#telemetry);
    const lines = this.#telemetry.counter('log_messages_total', 'Warnings and errors in the log', ['level']);
    lines.reset();
    for (const [level, count] of Object.entries(this.#troubles.counts)) lines.inc({ level }, count);
  }

  #sources(sources: readonly SourceStatus[]): void {
    const each = (value: (source: SourceStatus) => number | null): Sample[] =>
      sources.flatMap((source) => {
        const found = value(source);
        return found === null ? [] : [[{ source: source.name }, found] as const];
      });
    const lags = (value: 'bytes' | 'seconds'): Sample[] =>
      sources.flatMap(({ name: source, lag }) => lag.map((one) => [{ source, sink: one.sink }, one[value]] as const));
    this.#gauge(
      'lag_bytes',
      'Bytes of a source that a sink has not taken: not written, or not delivered or spooled',
      ['source', 'sink'],
      lags('bytes'),
    );
    this.#gauge(
      'lag_seconds',
      'Age of the oldest event of a source that a sink has not taken; an estimate',
      ['source', 'sink'],
      lags('seconds'),
    );
    this.#gauge(
      'rotation_window_seconds',
      'Time until rotation deletes the oldest bytes that a sink lacks, if no more were read; an estimate from the parts that are there',
      ['source'],
      each(({ window_seconds }) => window_seconds),
    );
    this.#gauge(
      'unread_bytes',
      'Bytes of log files that were seen and not read for every sink',
      ['source', 'kind'],
      sources.flatMap(({ name: source, unread_bytes }) =>
        (['live', 'rotated'] as const).map((kind) => [{ source, kind }, unread_bytes[kind]] as const),
      ),
    );
    this.#gauge(
      'held_deleted_bytes',
      'Unread bytes of deleted log files that are held open, up to held_bytes',
      ['source'],
      each(({ held_deleted_bytes }) => held_deleted_bytes),
    );
    this.#gauge(
      'source_open_files',
      'Log files that are held open',
      ['source'],
      each(({ open_files }) => open_files),
    );
    this.#gauge(
      'source_files',
      'Log files that are there, rotated parts included',
      ['source'],
      each(({ files }) => files),
    );
    this.#gauge(
      'source_unreadable_files',
      'Log files and directories that could not be read at the last look',
      ['source'],
      each(({ unreadable }) => unreadable.length),
    );
  }

  #httpSinks(sinks: readonly HttpSinkStatus[]): void {
    const each = (value: (sink: HttpSinkStatus) => number): Sample[] =>
      sinks.map((sink) => [{ sink: sink.name }, value(sink)] as const);
    this.#gauge(
      'http_sink_state',
      '1 for the state that an HTTP sink is in: direct, spooling, behind or blocked',
      ['sink', 'state'],
      sinks.flatMap(({ name: sink, state: current }) =>
        HTTP_STATES.map((state) => [{ sink, state }, state === current ? 1 : 0] as const),
      ),
    );
    this.#gauge(
      'http_receiver_away',
      '1 while the last request to the receiver failed',
      ['sink'],
      each(({ receiver }) => (receiver === 'taking' ? 0 : 1)),
    );
    this.#gauge(
      'http_receiver_blocked',
      '1 while the receiver refuses everything until somebody mends something',
      ['sink'],
      each(({ receiver }) => (receiver === 'blocked' ? 1 : 0)),
    );
    this.#gauge(
      'http_queue_bytes',
      'Bytes of events in memory for the sink',
      ['sink'],
      each(({ queue_bytes }) => queue_bytes),
    );
    this.#gauge(
      'spool_events',
      'Events in the spool',
      ['sink'],
      each(({ spool }) => spool.events),
    );
    this.#gauge(
      'spool_bytes',
      'Bytes in the spool',
      ['sink'],
      each(({ spool }) => spool.bytes),
    );
    this.#gauge(
      'spool_limit_bytes',
      'Bytes that the spool may hold',
      ['sink'],
      each(({ spool }) => spool.max_bytes),
    );
    this.#gauge(
      'dead_letters',
      'Dead letters that are kept',
      ['sink'],
      each(({ dead_letters }) => dead_letters.events),
    );
    this.#gauge(
      'dead_letter_bytes',
      'Bytes of dead letters that are kept',
      ['sink'],
      each(({ dead_letters }) => dead_letters.bytes),
    );
    this.#gauge(
      'dead_letter_limit_bytes',
      'Bytes of dead letters that may be kept',
      ['sink'],
      each(({ dead_letters }) => dead_letters.max_bytes),
    );
  }

  #disks(disks: readonly (readonly [labels: { use: string; sink: string }, directory: DirectoryStatus])[]): void {
    const each = (key: 'free_bytes' | 'size_bytes'): Sample[] =>
      disks.flatMap(([labels, directory]) => {
        const bytes = directory[key];
        return bytes === null ? [] : [[labels, bytes] as const];
      });
    const labels = ['use', 'sink'] as const;
    this.#gauge(
      'disk_free_bytes',
      'Bytes that can be written where the state or an archive is',
      labels,
      each('free_bytes'),
    );
    this.#gauge(
      'disk_size_bytes',
      'Size of the file system where the state or an archive is',
      labels,
      each('size_bytes'),
    );
  }

  /** What is not known now has no sample: an old one would be taken for the truth. */
  #gauge(name: string, help: string, labelNames: readonly string[], samples: readonly Sample[]): void {
    const gauge = this.#telemetry.gauge<string>(name, help, labelNames);
    gauge.reset();
    for (const [labels, value] of samples) gauge.set(labels, value);
  }
}
