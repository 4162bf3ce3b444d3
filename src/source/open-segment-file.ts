import type { FoundFile } from './discovery.ts';
import { GzipFile } from './gzip-file.ts';
import { PlainFile } from './plain-file.ts';

/** Opens a found file for reading its content, inflated where it is a gzip part. */
export async function openSegmentFile(found: Pick<FoundFile, 'path' | 'gzip'>): Promise<PlainFile | GzipFile> {
  return found.gzip ? GzipFile.open(found.path) : PlainFile.open(found.path);
}
