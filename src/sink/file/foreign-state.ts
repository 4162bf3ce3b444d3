import path from 'node:path';
import type { ArchiveRecords } from '../../checkpoint/archive-records.ts';
import { AuditailError, errorCode } from '../../errors.ts';
import type { FileIo } from '../file-io.ts';
import type { ArchivePaths } from './file-index.ts';
import type { Finding } from './inspection.ts';

const OVERSIZE = '._oversize';

/**
 * Throws `STATE_FOREIGN` when a file has more behind its last commit than one commit can leave there: the state is
 * older than the archive, and cutting would destroy what other commits wrote. Files of lines longer than memory may.
 */
export function refuseForeignTails(
  findings: readonly Finding[],
  options: { sink: string; tailLimit: number; directory: string; now: number },
): void {
  for (const finding of findings) {
    if (finding.kind !== 'tail' && finding.kind !== 'uncommitted') continue;
    const { record, tailBytes } = finding;
    if (tailBytes <= options.tailLimit || record.tag.endsWith(OVERSIZE)) continue;
    throw new AuditailError(
      'STATE_FOREIGN',
      `the state is not that of the archive of sink ${options.sink}: ${record.path} has ${tailBytes} bytes behind ` +
        `the last commit that the state knows, and one commit is at most ${options.tailLimit}`,
      { hint: moveAsideHint('Restore the newest state', options.directory, options.now) },
    );
  }
}

/**
 * Throws `STATE_EMPTY` when the database has no file of this sink and its directory holds an archive: everything would
 * be archived a second time beside it.
 */
export async function refuseUnknownArchive(options: {
  sink: string;
  records: ArchiveRecords;
  paths: ArchivePaths;
  io: FileIo;
  now: number;
}): Promise<void> {
  if (!options.records.isEmpty(options.sink)) return;
  const found = await findMatch(options.io, options.paths.directory, options.paths.glob, (file) =>
    options.records.hasPath(file),
  );
  if (found === undefined) return;
  throw new AuditailError(
    'STATE_EMPTY',
    `the state knows no file of sink ${options.sink}, but there is an archive already: ${found}`,
    { hint: moveAsideHint('Restore the state', options.paths.directory, options.now) },
  );
}

/** The first file below `directory` that the glob matches and that belongs to no other sink. */
async function findMatch(
  io: FileIo,
  directory: string,
  glob: string,
  isKnown: (file: string) => boolean,
): Promise<string | undefined> {
  const deepest = glob.split('/').length;
  const directories = [directory];
  for (let current = directories.pop(); current !== undefined; current = directories.pop()) {
    for (const entry of await entries(io, current)) {
      const file = path.join(current, entry.name);
      if (entry.isDirectory) {
        if (file.split('/').length < deepest) directories.push(file);
      } else if (path.matchesGlob(file, glob) && !isKnown(file)) {
        return file;
      }
    }
  }
  return undefined;
}

async function entries(io: FileIo, directory: string): Promise<{ name: string; isDirectory: boolean }[]> {
  try {
    return await io.readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function moveAsideHint(first: string, directory: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return `${first}, or keep the archive and begin a new one with: mv ${quoted(directory)} ${quoted(`${directory}.${stamp}`)}`;
}
