import { statfsSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../errors.ts';

/** Bytes that this user can still write below the directory, or will once it is made; undefined when that cannot be told. */
export function freeBytes(directory: string): number | undefined {
  for (let current = directory; ; current = path.dirname(current)) {
    try {
      const { bavail, bsize } = statfsSync(current);
      return bavail * bsize;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || current === path.dirname(current)) return undefined;
    }
  }
}
