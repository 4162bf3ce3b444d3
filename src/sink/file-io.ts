import fs from 'node:fs';
import { promisify } from 'node:util';

/** What identifies a file, and what tells whether it is still the one that was written. */
export interface FileStat {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** A regular file; not a symlink, directory or device. */
  readonly isFile: boolean;
}

/**
 * Whether a path leads to the file that the database knows there. The device number does not count: the kernel gives
 * it at each boot in the order in which it finds the disks, and one file system has an inode number once.
 */
export function isRecorded(stat: FileStat | undefined, recorded: { readonly inode: bigint | undefined }): boolean {
  return stat?.isFile === true && stat.inode === recorded.inode;
}

/** The file calls of the sinks. Tests put faults in between. */
export interface FileIo {
  open(path: string, flags: number, mode?: number): Promise<number>;
  close(fd: number): Promise<void>;
  /** May read less than the buffer holds; 0 at the end. */
  read(fd: number, buffer: Buffer, position: number): Promise<number>;
  /** May write less than the buffer holds: {@link writeAll}. */
  write(fd: number, buffer: Buffer, position: number): Promise<number>;
  fdatasync(fd: number): Promise<void>;
  fsync(fd: number): Promise<void>;
  ftruncate(fd: number, length: number): Promise<void>;
  fchmod(fd: number, mode: number): Promise<void>;
  fstat(fd: number): Promise<FileStat>;
  lstat(path: string): Promise<FileStat>;
  unlink(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  mkdir(path: string, mode: number): Promise<void>;
  readdir(path: string): Promise<{ name: string; isDirectory: boolean }[]>;
}

const open = promisify(fs.open);
const read = promisify(fs.read);
const write = promisify(fs.write);
const fstat = promisify(fs.fstat);

/** The file system of the host. */
export const nodeFileIo: FileIo = {
  open: (path, flags, mode) => open(path, flags, mode),
  close: promisify(fs.close),
  read: async (fd, buffer, position) => (await read(fd, buffer, 0, buffer.length, position)).bytesRead,
  write: async (fd, buffer, position) => (await write(fd, buffer, 0, buffer.length, position)).bytesWritten,
  fdatasync: promisify(fs.fdatasync),
  fsync: promisify(fs.fsync),
  ftruncate: (fd, length) => promisify(fs.ftruncate)(fd, length),
  fchmod: (fd, mode) => promisify(fs.fchmod)(fd, mode),
  fstat: async (fd) => fileStat(await fstat(fd, { bigint: true })),
  lstat: async (path) => fileStat(await fs.promises.lstat(path, { bigint: true })),
  unlink: fs.promises.unlink,
  rename: fs.promises.rename,
  mkdir: async (path, mode) => {
    await fs.promises.mkdir(path, { mode });
  },
  readdir: async (path) => {
    const entries = await fs.promises.readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  },
};

function fileStat(stats: fs.BigIntStats): FileStat {
  return {
    device: stats.dev,
    inode: stats.ino,
    size: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    isFile: stats.isFile(),
  };
}

/** Writes all of `buffer` at `position`. A write that makes no progress is an error, not a loop. */
export async function writeAll(io: FileIo, fd: number, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const written = await io.write(fd, done === 0 ? buffer : buffer.subarray(done), position + done);
    if (written <= 0) throw new Error('the file system took no bytes');
    done += written;
  }
}

/** Reads `length` bytes at `position`; fewer only where the file ends before. */
export async function readAt(io: FileIo, fd: number, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = await io.read(fd, buffer.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}
