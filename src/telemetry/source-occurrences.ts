import type { Gap } from '../checkpoint/gap-records.ts';
import { describeError } from '../errors.ts';
import { errorReason } from './error-reason.ts';
import type { Telemetry } from './telemetry.ts';

/** Counters that alerts and dashboards watch, with their help texts. */
const WATCHED = {
  files_closed_total: 'Rotated log files that were read to their end',
  files_rotated_total: 'Log files that were renamed, copied or gzipped by rotation',
  files_opened_total: 'Log files that were opened for the first time',
  files_truncated_total: 'Log files that were truncated or replaced in place',
  files_cut_back_total: 'Log files that lost their end, as after a power loss',
  live_files_deleted_total: 'Live log files that were deleted while their writer goes on',
  gaps_total: 'Ranges of a log that vanished unread',
} as const;

/** What happens while reading: one function an occurrence, which logs and counts it. */
export class SourceOccurrences {
  readonly #telemetry: Telemetry;
  readonly #source: string;

  constructor(telemetry: Telemetry, source: string) {
    this.#telemetry = telemetry;
    this.#source = source;
    // A counter that appears with its first event hides that event from increase() and so from alerts.
    for (const [name, help] of Object.entries(WATCHED)) telemetry.counter(name, help, ['source']).inc({ source }, 0);
    this.#countError('EACCES', 0);
  }

  nothingFound(path: string): void {
    this.#telemetry.warnLimited(
      `nothing:${this.#source}`,
      { source: this.#source, path },
      'no log found yet: the agent goes on looking for it',
    );
  }

  unreadable(path: string, error: unknown): void {
    this.#countError(errorReason(error));
    this.#telemetry.warnLimited(
      `unreadable:${path}`,
      { source: this.#source, path, error: describeError(error) },
      'cannot read: it is tried again; the agent needs root or CAP_DAC_READ_SEARCH',
    );
  }

  watchFailed(error: unknown): void {
    this.#telemetry.warnLimited(
      `watch:${this.#source}`,
      { source: this.#source, error: describeError(error) },
      'cannot watch for changes: the agent looks at refresh_interval instead',
    );
  }

  segmentFound(path: string, stream: string, from: number): void {
    this.#count('files_opened_total', WATCHED.files_opened_total);
    this.#telemetry.log.info({ source: this.#source, stream, path, offset: from }, 'reading a log file');
  }

  segmentRotated(from: string, to: string): void {
    this.#count('files_rotated_total', WATCHED.files_rotated_total);
    this.#telemetry.log.info({ source: this.#source, from, path: to }, 'a log file was rotated');
  }

  segmentFinished(path: string, bytes: number): void {
    this.#count('files_closed_total', WATCHED.files_closed_total);
    this.#telemetry.log.info({ source: this.#source, path, bytes }, 'a rotated log file is finished');
  }

  truncated(path: string, position: number): void {
    this.#count('files_truncated_total', WATCHED.files_truncated_total);
    this.#telemetry.log.warn(
      { source: this.#source, path, offset: position },
      'the log file was truncated or replaced',
    );
  }

  cutBack(path: string, position: number, resume: number): void {
    this.#count('files_cut_back_total', WATCHED.files_cut_back_total);
    this.#telemetry.log.warn(
      { source: this.#source, path, offset: position, resumed_at: resume },
      'the log file lost its end: lines that were taken from there stay in the archive, and reading goes on where it differs',
    );
  }

  liveFileDeleted(path: string): void {
    this.#count('live_files_deleted_total', WATCHED.live_files_deleted_total);
    this.#telemetry.log.error(
      { source: this.#source, path },
      'the live log file was deleted: it is read as long as it is open; restart its writer so that it makes a new one',
    );
  }

  gap(stream: string, gap: Gap): void {
    this.#count('gaps_total', WATCHED.gaps_total);
    const time = (ms: number | undefined) => (ms === undefined ? 'unknown' : new Date(ms).toISOString());
    this.#telemetry.log.error(
      {
        source: this.#source,
        stream,
        path: gap.path,
        from_offset: gap.startOffset,
        to_offset: gap.endOffset ?? 'unknown',
        after_event: time(gap.beforeTime),
        before_event: time(gap.afterTime),
        reason: gap.reason,
      },
      'a gap: events were lost before they could be read',
    );
  }

  /** Bytes that were seen and not every sink has been given yet; of rotated files, they are what the next gap would be. */
  unread({ live, rotated, deleted }: { live: number; rotated: number; deleted: number }): void {
    const unread = this.#telemetry.gauge(
      'unread_bytes',
      'Bytes of log files that were seen and not read for every sink',
      ['source', 'kind'],
    );
    unread.set({ source: this.#source, kind: 'live' }, live);
    unread.set({ source: this.#source, kind: 'rotated' }, rotated);
    this.#telemetry
      .gauge('held_deleted_bytes', 'Unread bytes of deleted log files that are held open, up to held_bytes', ['source'])
      .set({ source: this.#source }, deleted);
  }

  nullsSkipped(path: string, count: number): void {
    this.#telemetry
      .counter('null_bytes_skipped_total', 'NUL bytes that stood before a line', ['source'])
      .inc({ source: this.#source }, count);
    this.#telemetry.warnLimited(`nulls:${path}`, { source: this.#source, path, bytes: count }, 'skipped NUL bytes');
  }

  #countError(reason: string, by = 1): void {
    this.#telemetry
      .counter('source_errors_total', 'Files or directories of a source that could not be read', ['source', 'reason'])
      .inc({ source: this.#source, reason }, by);
  }

  #count(name: string, help: string): void {
    this.#telemetry.counter(name, help, ['source']).inc({ source: this.#source });
  }
}
