import type { SegmentRow } from '../../checkpoint/segment-records.ts';
import type { FoundFile } from '../../source/discovery.ts';
import { readHead } from '../../source/head.ts';
import { openSegmentFile } from '../../source/open-segment-file.ts';

/** A log file as it is now. */
export interface FileLook {
  readonly path: string;
  readonly gzip: boolean;
  readonly device: bigint;
  readonly inode: bigint;
  /** What segments are known by; undefined when it has none yet, or cannot be read. */
  readonly head: string | undefined;
  /** Bytes of uncompressed content; undefined when it cannot be read. Inflates a gzip part. */
  contentBytes(): Promise<number | undefined>;
}

export async function lookAt(found: FoundFile): Promise<FileLook> {
  const { path, gzip, device, inode } = found;
  const head = await withFile(found, async (file) => (await readHead(file, { complete: !found.live }))?.hash);
  const contentBytes = async () =>
    gzip ? withFile(found, async (file) => (await file.stat()).size) : Promise.resolve(found.size);
  return { path, gzip, device, inode, head, contentBytes };
}

/** The file of a segment: the same content in the same file, or in another one after gzip or copytruncate. */
export function matchFile(row: SegmentRow, files: readonly FileLook[]): FileLook | undefined {
  const isPlace = ({ device, inode }: FileLook) => device === row.device && inode === row.inode;
  const isContent = ({ head }: FileLook) => head === row.head;
  return (
    files.find((file) => isPlace(file) && (isContent(file) || file.head === undefined)) ??
    files.find((file) => !file.gzip && isContent(file)) ??
    files.find(isContent)
  );
}

async function withFile<T>(
  found: FoundFile,
  use: (file: Awaited<ReturnType<typeof openSegmentFile>>) => Promise<T>,
): Promise<T | undefined> {
  try {
    const file = await openSegmentFile(found);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch {
    // It was moved or deleted meanwhile, or this user may not read it: the state is told all the same.
    return undefined;
  }
}
