import { AuditailError } from '../errors.ts';
import type { FoundFile } from './discovery.ts';
import { GzipFile } from './gzip-file.ts';
import { PlainFile } from './plain-file.ts';

/**
 * Opens a found file for reading its content, inflated where it is a gzip part. Rejects with `FILE_MOVED` when the path
 * leads to another file by now: what would be read would be taken for the one that was found.
 */
export async function openSegmentFile(
  found: Pick<FoundFile, 'path' | 'gzip' | 'device' | 'inode'>,
): Promise<PlainFile | GzipFile> {
  const open = await (found.gzip ? GzipFile.open(found.path) : PlainFile.open(found.path));
  if (open.device === found.device && open.inode === found.inode) return open;
  await open.close();
  throw new AuditailError('FILE_MOVED', `${found.path} is not the file any more that was found there`);
}
