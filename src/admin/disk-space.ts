import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../errors.ts';

/** Of the file system that a directory is on, in bytes. */
export interface DiskSpace {
  /** What the agent's user can still write. */
  readonly free: number;
  readonly size: number;
}

/** Of a directory, or of where it will be made. Rejects with system errors. */
export async function diskSpace(directory: string): Promise<DiskSpace> {
  for (let current = directory; ; current = path.dirname(current)) {
    try {
      const { bavail, blocks, bsize } = await statfs(current);
      return { free: bavail * bsize, size: blocks * bsize };
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || current === path.dirname(current)) throw error;
    }
  }
}
