import type { FoundFile } from './discovery.ts';
import { GzipFile } from './gzip-file.ts';
import { PlainFile } from './plain-file.ts';

/**
 * Opens a found file for reading its content, inflated where it is a gzip part.
 *
 * @throws AuditailError `FILE_MOVED` when another file has its path by now.
 */
export async function openSegmentFile(found: FoundFile): Promise<PlainFile | GzipFile> {
  return found.gzip ? GzipFile.open(found.path, found) : PlainFile.open(found.path, found);
}
