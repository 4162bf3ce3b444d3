import { describeError } from '../errors.ts';
import { errorReason } from './error-reason.ts';
import type { Telemetry } from './telemetry.ts';

/** What a log line says about an output file. Bytes are those on disk, times milliseconds since the epoch. */
export interface ArchiveFacts {
  readonly path: string;
  readonly tag: string;
  readonly events: number;
  readonly bytes: number;
  readonly contentBytes: number;
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
}

/** Counters that alerts and dashboards watch, with their help texts. */
const WATCHED = {
  archive_events_total: 'Events committed to the archive',
  archive_changed_total: 'Archive files that somebody else changed, exchanged or removed',
} as const;

/** An archive begins: a counter that appears with its first event hides that event from increase() and so from alerts. */
export function archiveBegins(telemetry: Telemetry, sink: string): void {
  for (const [name, help] of Object.entries(WATCHED)) telemetry.counter(name, help, ['sink']).inc({ sink }, 0);
  countErrors(telemetry, sink, 'ENOSPC', 0);
}

/** Content became durable. `bytes` is what it takes on disk. */
export function archiveCommitted(
  telemetry: Telemetry,
  sink: string,
  written: { files: number; events: number; contentBytes: number; bytes: number },
): void {
  const { events, contentBytes, bytes } = written;
  telemetry.counter('archive_events_total', WATCHED.archive_events_total, ['sink']).inc({ sink }, events);
  telemetry
    .counter('archive_content_bytes_total', 'Uncompressed bytes committed to the archive', ['sink'])
    .inc({ sink }, contentBytes);
  telemetry.counter('archive_written_bytes_total', 'Bytes committed to archive files', ['sink']).inc({ sink }, bytes);
  telemetry.log.debug({ sink, files: written.files, events, bytes, content_bytes: contentBytes }, 'archive written');
}

/** An hour is over and its file grows no more, unless events come late. Shippers may take it now. */
export function archiveFinished(telemetry: Telemetry, sink: string, file: ArchiveFacts): void {
  telemetry.counter('archive_finished_total', 'Archive files that were finished', ['sink']).inc({ sink });
  telemetry.log.info({ event: 'archive_finished', sink, ...logFields(file) }, 'archive file finished');
}

/** A finished file is written to again, because events of its time came late. */
export function archiveReopened(telemetry: Telemetry, sink: string, file: string): void {
  telemetry
    .counter('archive_reopened_total', 'Finished archive files that late events were added to', ['sink'])
    .inc({ sink });
  telemetry.log.info({ sink, path: file }, 'late events for a finished archive file');
}

/** Something that is not in the state database stands where a new file should go. */
export function archivePathTaken(telemetry: Telemetry, sink: string, taken: string, used: string): void {
  telemetry
    .counter('archive_paths_taken_total', 'New archive files whose path was taken by something unknown', ['sink'])
    .inc({ sink });
  telemetry.warnLimited(
    `archive_path_taken ${sink}`,
    { sink, path: taken, using: used },
    'the path of a new archive file is taken by something unknown; it is left alone and a numbered sibling is used',
  );
}

/** Committed content is not what it was any more: evidence was changed. Never rate-limited. */
export function archiveChanged(telemetry: Telemetry, sink: string, file: string, reason: string): void {
  telemetry.counter('archive_changed_total', WATCHED.archive_changed_total, ['sink']).inc({ sink });
  telemetry.log.error(
    { sink, path: file, reason },
    'an archive file was changed by somebody else; it is left alone and later events go to a numbered sibling',
  );
}

/** What a crash left behind the last commit was cut off, because the log is read again from there. */
export function archiveTailCut(
  telemetry: Telemetry,
  sink: string,
  cut: { path: string; committedBytes: number; bytes: number; copy: string | undefined },
): void {
  telemetry
    .counter('archive_cut_bytes_total', 'Uncommitted bytes cut off archive files', ['sink'])
    .inc({ sink }, cut.bytes);
  const { path, committedBytes, bytes, copy } = cut;
  telemetry.log.info(
    { sink, path, committed_bytes: committedBytes, bytes, copy },
    'archive file cut to the last commit',
  );
}

/** A file that was created but never committed is gone; its lines are read again. */
export function archiveDiscarded(
  telemetry: Telemetry,
  sink: string,
  file: { path: string; bytes: number; copy: string | undefined },
): void {
  telemetry.log.info({ sink, ...file }, 'archive file without a commit removed');
}

/** A write, a sync or a check failed. The agent rewinds. */
export function archiveFailed(telemetry: Telemetry, sink: string, error: unknown): void {
  countErrors(telemetry, sink, errorReason(error));
  telemetry.warnLimited(
    `archive_failed ${sink}`,
    { sink, error: describeError(error) },
    'writing the archive failed; it goes back to the last commit',
  );
}

/** More tags than `max_tags` in one time slot: this one shares the overflow file. */
export function archiveOverflow(telemetry: Telemetry, sink: string, tag: string, limit: number): void {
  telemetry
    .counter('archive_overflow_tags_total', 'Times that a tag was sent to an overflow file', ['sink'])
    .inc({ sink });
  telemetry.warnLimited(
    `archive_overflow ${sink}`,
    { sink, tag: tag.slice(0, 256), limit },
    'too many tags in one time slot; further ones share the overflow file (max_tags)',
  );
}

/** Retention deleted a file. Each one is told. */
export function archiveDeleted(
  telemetry: Telemetry,
  sink: string,
  file: ArchiveFacts & { reason: 'age' | 'size' },
): void {
  telemetry
    .counter('archive_deleted_total', 'Archive files deleted by retention', ['sink', 'reason'])
    .inc({ sink, reason: file.reason });
  telemetry.log.info({ sink, ...logFields(file), reason: file.reason }, 'archive file deleted by retention');
}

/** Retention came to a path where something stands that is not the archive's file. */
export function archiveNotOwned(telemetry: Telemetry, sink: string, file: string): void {
  telemetry.log.warn({ sink, path: file }, 'retention leaves a file alone that is not the one that was written');
}

/** Retention could not delete a file; it is tried again. */
export function archiveNotDeleted(telemetry: Telemetry, sink: string, file: string, error: unknown): void {
  telemetry.warnLimited(
    `archive_not_deleted ${sink}`,
    { sink, path: file, error: describeError(error) },
    'retention could not delete an archive file',
  );
}

function logFields(file: ArchiveFacts): Record<string, unknown> {
  const { path, tag, events, bytes, contentBytes, firstTime, lastTime } = file;
  const times = { first_time: isoTime(firstTime), last_time: isoTime(lastTime) };
  return { path, tag, events, bytes, content_bytes: contentBytes, ...times };
}

function isoTime(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

function countErrors(telemetry: Telemetry, sink: string, reason: string, by = 1): void {
  telemetry
    .counter('archive_errors_total', 'Failed writes to the archive', ['sink', 'reason'])
    .inc({ sink, reason }, by);
}
