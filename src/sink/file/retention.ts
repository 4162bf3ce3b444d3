import type { ArchiveRecord, ArchiveRecords } from '../../checkpoint/archive-records.ts';
import type { FileSinkConfig } from '../../config/types.ts';
import { archiveDeleted, archiveNotDeleted, archiveNotOwned } from '../../telemetry/archive-occurrences.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { type FileIo, isRecorded } from '../file-io.ts';
import { lstatOrNothing } from './registrar.ts';

/** Looked at in one go; the next go does the rest. */
const MAX_FILES = 1000;

/**
 * Deletes finished files that are too old or too much, oldest commit first: never one younger than `min_keep`, never
 * an open one, and never anything that is not the file that was written.
 */
export async function applyRetention(options: {
  config: FileSinkConfig;
  records: ArchiveRecords;
  io: FileIo;
  telemetry: Telemetry;
  now: number;
}): Promise<void> {
  const { config, records, now } = options;
  const { maxAgeMs, maxBytes, minKeepMs } = config.retention;
  if (maxAgeMs === undefined && maxBytes === undefined) return;
  let total = maxBytes === undefined ? 0 : records.totalBytes(config.name);
  for (const record of records.oldest(config.name, MAX_FILES)) {
    const age = now - (record.committedAt ?? now);
    if (age < minKeepMs) break;
    const tooOld = maxAgeMs !== undefined && age > maxAgeMs;
    const tooMuch = maxBytes !== undefined && total > maxBytes;
    if (!tooOld && !tooMuch) break;
    if (await remove(options, record, tooOld ? 'age' : 'size')) total -= record.committedBytes;
  }
}

/** False when the file could not be deleted and is still there. */
async function remove(
  options: { config: FileSinkConfig; records: ArchiveRecords; io: FileIo; telemetry: Telemetry },
  record: ArchiveRecord,
  reason: 'age' | 'size',
): Promise<boolean> {
  const { config, records, io, telemetry } = options;
  try {
    const stat = await lstatOrNothing(io, record.path);
    // Late events may have reopened it meanwhile.
    if (!records.isClosed(record.id)) return false;
    const owned = isRecorded(stat, record);
    if (owned && !record.abandoned) await io.unlink(record.path);
    records.remove([record.id]);
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
