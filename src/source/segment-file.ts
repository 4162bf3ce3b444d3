/** The open file of a segment. Offsets and sizes are in bytes of uncompressed content. */
export interface SegmentFile {
  readonly path: string;
  readonly gzip: boolean;
  /** Of the open file, wherever its path leads by now. */
  readonly device: bigint;
  readonly inode: bigint;
  stat(): Promise<SegmentStat>;
  /**
   * Reads up to `length` bytes of content at `offset` into `buffer` at `start`. Fewer where the
   * system gives fewer; 0 only at the end of what is there now: {@link readFully} gets all. System errors (EIO, …) reject.
   */
  read(offset: number, buffer: Buffer, start: number, length: number): Promise<number>;
  /**
   * Fills `buffer` with what was read at `offset` a moment ago, and so stands in the kernel's cache: without a trip to another
   * thread. May give fewer bytes. Undefined where content has to be inflated.
   */
  readonly again?: (offset: number, buffer: Buffer) => number;
  /** Of one that shows only the beginning of a file: that file. Its first line may stand behind the end that is shown. */
  readonly whole?: SegmentFile;
  /** The same open file for a second reader, with a place of its own in it. It is closed apart, and before the file. */
  view(): SegmentFile;
  close(): Promise<void>;
}

export interface SegmentStat {
  /** Content bytes; of a gzip part as far as it inflates. */
  readonly size: number;
  /** 0: the file was deleted and only this descriptor keeps its bytes. */
  readonly links: number;
  readonly modifiedMs: number;
}

/** Reads until `length` bytes are there or the file ends: one read may give fewer. */
export async function readFully(file: SegmentFile, offset: number, buffer: Buffer, length: number): Promise<number> {
  let done = 0;
  while (done < length) {
    const read = await file.read(offset + done, buffer, done, length - done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
