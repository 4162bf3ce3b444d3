import type { ArchiveRecord, ArchiveRecords } from '../../checkpoint/archive-records.ts';
import type { FileSinkConfig } from '../../config/types.ts';
import { archiveDeleted, archiveNotDeleted, archiveNotOwned } from '../../telemetry/archive-occurrences.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { type FileIo, isRecorded } from '../file-io.ts';
import type { Directories } from './directories.ts';
import { lstatOrNothing } from './registrar.ts';

/** Looked at in one go; the next go does the rest. */
const MAX_FILES = 1000;

interface RetentionOptions {
  readonly config: FileSinkConfig;
  readonly records: ArchiveRecords;
  readonly io: FileIo;
  readonly directories: Directories;
  readonly telemetry: Telemetry;
  readonly now: number;
}

/**
 * Deletes finished files that are too old or too much, oldest commit first: never one younger than `min_keep`, never
 * an open one, and never anything that is not the file that was written.
 */
export async function applyRetention(options: RetentionOptions): Promise<void> {
  const { config, records, directories, telemetry, now } = options;
  const { maxAgeMs, maxBytes, minKeepMs } = config.retention;
  if (maxAgeMs === undefined && maxBytes === undefined) return;
  let total = maxBytes === undefined ? 0 : records.totalBytes(config.name);
  const gone: ArchiveRecord[] = [];
  for (const record of records.oldest(config.name, MAX_FILES)) {
    const age = now - (record.committedAt ?? now);
    if (age < minKeepMs) break;
    const tooOld = maxAgeMs !== undefined && age > maxAgeMs;
    const tooMuch = maxBytes !== undefined && total > maxBytes;
    if (!tooOld && !tooMuch) break;
    if (!(await remove(options, record, tooOld ? 'age' : 'size'))) continue;
    total -= record.committedBytes;
    gone.push(record);
  }
  try {
    // A file that a power loss brings back must not be one that the database has forgotten.
    await directories.sync();
    records.remove(gone.map(({ id }) => id));
  } catch (error) {
    archiveNotDeleted(telemetry, config.name, gone[0]!.path, error);
  }
}

/** False when the file could not be deleted and is still there. */
async function remove(
  { config, records, io, directories, telemetry }: RetentionOptions,
  record: ArchiveRecord,
  reason: 'age' | 'size',
): Promise<boolean> {
  try {
    const stat = await lstatOrNothing(io, record.path);
    // Late events may have reopened it meanwhile.
    if (!records.isClosed(record.id)) return false;
    const owned = isRecorded(stat, record);
    if (owned && !record.abandoned) {
      await io.unlink(record.path);
      directories.changed(record.path);
    }
    if (stat === undefined) return true;
    if (!owned || record.abandoned) {
      archiveNotOwned(telemetry, config.name, record.path);
      return true;
    }
    const { path, tag, events, committedBytes: bytes, contentBytes, firstTime, lastTime } = record;
    archiveDeleted(telemetry, config.name, {
      path,
      tag,
      events,
      bytes,
      contentBytes,
      firstTime,
      lastTime,
      reason,
    });
    return true;
  } catch (error) {
    archiveNotDeleted(telemetry, config.name, record.path, error);
    return false;
  }
}
