import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AuditailError } from '../errors.ts';
import type { SegmentFile, SegmentStat } from './segment-file.ts';

/** Opens a regular file for reading. O_NONBLOCK: a FIFO put in the log's place must not stop the agent. */
export async function openRegular(path: string): Promise<{ handle: FileHandle; device: bigint; inode: bigint }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) throw new AuditailError('NOT_A_FILE', `${path} is not a regular file`);
    return { handle, device: stat.dev, inode: stat.ino };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A log file as the writer wrote it. */
export class PlainFile implements SegmentFile {
  readonly path: string;
  readonly gzip = false;
  readonly device: bigint;
  readonly inode: bigint;
  readonly #handle: FileHandle;

  private constructor(path: string, opened: Awaited<ReturnType<typeof openRegular>>) {
    this.path = path;
    this.device = opened.device;
    this.inode = opened.inode;
    this.#handle = opened.handle;
  }

  static async open(path: string): Promise<PlainFile> {
    return new PlainFile(path, await openRegular(path));
  }

  async stat(): Promise<SegmentStat> {
    const stat = await this.#handle.stat({ bigint: true });
    return {
      size: Number(stat.size),
      links: Number(stat.nlink),
      modifiedMs: Number(stat.mtimeMs),
    };
  }

  async read(offset: number, buffer: Buffer, start: number, length: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(buffer, start, length, offset);
    return bytesRead;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
