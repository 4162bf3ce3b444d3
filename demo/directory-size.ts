import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How many files lie in a directory, and their bytes on disk; nothing where there is none. For show: they may change meanwhile. */
export async function directorySize(directory: string): Promise<{ files: number; bytes: number }> {
  const names = await readdir(directory).catch(unlessGone([]));
  let bytes = 0;
  for (const name of names) bytes += (await stat(join(directory, name)).catch(unlessGone({ size: 0 }))).size;
  return { files: names.length, bytes };
}

function unlessGone<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== 'ENOENT') throw error;
    return instead;
  };
}
