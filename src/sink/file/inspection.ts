import { constants } from 'node:fs';
import type { ArchiveRecord } from '../../checkpoint/archive-records.ts';
import { type FileIo, type FileStat, isRecorded, readAt } from '../file-io.ts';
import { ARCHIVE_FORMATS } from './archive-format.ts';
import { lstatOrNothing } from './registrar.ts';

/** What stands where an open file of the database should be, and so what is to be done with it. */
export type Finding = { readonly record: ArchiveRecord } & (
  | { readonly kind: 'intact' }
  /** Longer than the commit, or with a damaged end: cut. */
  | { readonly kind: 'tail'; readonly stat: FileStat; readonly tailBytes: number }
  /** Created but never committed: removed. Its inode is not known, so only its beginning tells that it is ours. */
  | { readonly kind: 'uncommitted'; readonly stat: FileStat; readonly tailBytes: number }
  /** Registered, but not created: forgotten. */
  | { readonly kind: 'absent' }
  /** Committed content was changed by somebody else: left alone. */
  | { readonly kind: 'changed'; readonly reason: string }
);

/** Looks at one file and changes nothing. */
export async function inspect(io: FileIo, record: ArchiveRecord): Promise<Finding> {
  const stat = await lstatOrNothing(io, record.path);
  if (record.inode === undefined) {
    // Only a regular file can be one that this archive created.
    if (stat === undefined || !stat.isFile) return { record, kind: 'absent' };
    if (!(await mayBeOurs(io, record))) return { record, kind: 'changed', reason: 'something else took its place' };
    return { record, kind: 'uncommitted', stat, tailBytes: stat.size };
  }
  if (stat === undefined) return { record, kind: 'changed', reason: 'it was removed' };
  if (!isRecorded(stat, record)) {
    return { record, kind: 'changed', reason: 'it was exchanged' };
  }
  if (stat.size < record.committedBytes) {
    return { record, kind: 'changed', reason: `it has ${stat.size} of ${record.committedBytes} committed bytes` };
  }
  const ending = committedEnding(record);
  const { blockEnd } = ARCHIVE_FORMATS[record.compress];
  const from = Math.max(0, record.committedBytes - blockEnd.length);
  const found = await bytesAt(io, record.path, record.committedBytes - from + ending.length, from);
  // Cut there, it would be damaged: a bit of the database is another one, or of the file.
  if (!found.subarray(0, record.committedBytes - from).equals(blockEnd)) {
    return {
      record,
      kind: 'changed',
      reason: `nothing that was written to it ends behind ${record.committedBytes} bytes`,
    };
  }
  const tailBytes = Math.max(0, stat.size - record.committedBytes - ending.length);
  if (tailBytes === 0 && stat.size === record.committedBytes + ending.length) {
    if (found.subarray(record.committedBytes - from).equals(ending)) return { record, kind: 'intact' };
  }
  return { record, kind: 'tail', stat, tailBytes };
}

/** What has to stand behind the committed content of a file. */
export function committedEnding({ compress, crc32, memberBytes }: ArchiveRecord): Buffer {
  return ARCHIVE_FORMATS[compress].trailer(crc32, memberBytes);
}

/**
 * Whether a file at a path where one was to be created begins as this archive's files do, as far as it was written: what
 * does not is somebody else's. After a power loss there may be NULs where content was to come. Lines tell nothing.
 */
async function mayBeOurs(io: FileIo, record: ArchiveRecord): Promise<boolean> {
  const { header } = ARCHIVE_FORMATS[record.compress];
  if (header.length === 0) return true;
  const beginning = await bytesAt(io, record.path, header.length, 0);
  return beginning.equals(header.subarray(0, beginning.length)) || beginning.every((byte) => byte === 0);
}

async function bytesAt(io: FileIo, path: string, length: number, position: number): Promise<Buffer> {
  const fd = await io.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await readAt(io, fd, length, position);
  } finally {
    await io.close(fd);
  }
}
