import fs, { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AuditailError, errorCode } from '../errors.ts';
import type { SegmentFile, SegmentStat } from './segment-file.ts';

/** What stood at a path when it was looked at. */
export interface Place {
  readonly device: bigint;
  readonly inode: bigint;
}

/**
 * Opens a regular file for reading. O_NONBLOCK: a FIFO put in the log's place must not stop the agent.
 *
 * @throws AuditailError `NOT_A_FILE`, and `FILE_MOVED` where another file than `place` stands by now: a rotation came
 * between the look and the opening.
 */
export async function openRegular(path: string, place?: Place): Promise<Place & { handle: FileHandle }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat({ bigint: true });
    if (place !== undefined && (stat.dev !== place.device || stat.ino !== place.inode))
      throw new AuditailError('FILE_MOVED', `${path} is another file by now`);
    if (!stat.isFile()) throw new AuditailError('NOT_A_FILE', `${path} is not a regular file`);
    return { handle, device: stat.dev, inode: stat.ino };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether opening failed because the file that was looked at is not at its path any more. */
export function hasMoved(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'FILE_MOVED' || code === 'ENOENT';
}

/** A log file as the writer wrote it. */
export class PlainFile implements SegmentFile {
  readonly path: string;
  readonly gzip = false;
  readonly device: bigint;
  readonly inode: bigint;
  readonly #handle: FileHandle;

  private constructor(path: string, opened: Place & { handle: FileHandle }) {
    this.path = path;
    this.device = opened.device;
    this.inode = opened.inode;
    this.#handle = opened.handle;
  }

  static async open(path: string, place?: Place): Promise<PlainFile> {
    return new PlainFile(path, await openRegular(path, place));
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

  again(offset: number, buffer: Buffer): number {
    return fs.readSync(this.#handle.fd, buffer, 0, buffer.length, offset);
  }

  view(): SegmentFile {
    const { path, gzip, device, inode } = this;
    return {
      path,
      gzip,
      device,
      inode,
      stat: () => this.stat(),
      read: (offset, buffer, start, length) => this.read(offset, buffer, start, length),
      again: (offset, buffer) => this.again(offset, buffer),
      view: () => this.view(),
      close: async () => undefined,
    };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
