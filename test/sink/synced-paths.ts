import { type FileIo, nodeFileIo } from '../../src/sink/file-io.ts';

/** The real file system, and the paths of what was synced through it; `before` each sync, which waits for it. */
export function syncedPaths(before?: (path: string) => Promise<void>): {
  readonly io: FileIo;
  readonly synced: Set<string>;
} {
  const synced = new Set<string>();
  const paths = new Map<number, string>();
  const io: FileIo = {
    ...nodeFileIo,
    open: async (path, flags, mode) => {
      const fd = await nodeFileIo.open(path, flags, mode);
      paths.set(fd, path);
      return fd;
    },
    fsync: async (fd) => {
      await before?.(paths.get(fd)!);
      await nodeFileIo.fsync(fd);
      synced.add(paths.get(fd)!);
    },
    fdatasync: async (fd) => {
      await before?.(paths.get(fd)!);
      await nodeFileIo.fdatasync(fd);
      synced.add(paths.get(fd)!);
    },
  };
  return { io, synced };
}
