import type { FoundFile } from './discovery.ts';
import type { GzipLook } from './gzip-content.ts';
import { GzipFile } from './gzip-file.ts';
import { PlainFile } from './plain-file.ts';

/**
 * Opens a found file for reading its content, inflated where it is a gzip part.
 *
 * @param looked what was learned of a gzip part in the state in which it was found
 * @throws AuditailError `FILE_MOVED` when another file has its path by now.
 */
export async function openSegmentFile(found: FoundFile, looked?: GzipLook): Promise<PlainFile | GzipFile> {
  return found.gzip ? GzipFile.open(found.path, found, looked) : PlainFile.open(found.path, found);
}
