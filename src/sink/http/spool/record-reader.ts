import { errorCode } from '../../../errors.ts';
import { type FileIo, readAt } from '../../file-io.ts';
import { decodeRecord, plausibleRecordBytes, type SpoolRecord } from './spool-record.ts';

/** Read at once; more where a record is larger. */
const WINDOW_BYTES = 256 * 1024;

/** Enough to tell whether a record may begin. */
const PROBE_BYTES = 40;

/** What the disk says of bytes that it cannot give. All else, such as too many open files, is no damage. */
const UNREADABLE_CODES: ReadonlySet<string> = new Set(['EIO', 'EACCES', 'EPERM', 'EUCLEAN', 'EBADMSG']);

export function isUnreadable(error: unknown): boolean {
  return UNREADABLE_CODES.has(errorCode(error) ?? '');
}

/** A range of a segment that holds no record. */
export interface Unreadable {
  readonly start: number;
  /** Where the next record begins, or the end of what is read. */
  readonly end: number;
}

/** Reads the records between two offsets of an open segment, and finds the next one behind bytes that are none. */
export class RecordReader {
  readonly #io: FileIo;
  readonly #fd: number;
  readonly #segment: number;
  readonly #end: number;
  #position: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(io: FileIo, fd: number, segment: number, range: { start: number; end: number }) {
    this.#io = io;
    this.#fd = fd;
    this.#segment = segment;
    this.#position = range.start;
    this.#end = range.end;
  }

  /**
   * The next record, or the range up to it that is damaged; undefined at the end. What lies behind a place that the disk
   * cannot read is damaged too. Throws what else the file system says.
   */
  async next(): Promise<SpoolRecord | Unreadable | undefined> {
    const start = this.#position;
    if (start >= this.#end) return undefined;
    try {
      const record = await this.#recordAt(start);
      this.#position = record?.end ?? (await this.#findRecord(start + 1));
      return record ?? { start, end: this.#position };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#position = this.#end;
      return { start, end: this.#end };
    }
  }

  async #findRecord(from: number): Promise<number> {
    for (let position = from; position < this.#end; position += 1) {
      if ((await this.#recordAt(position)) !== undefined) return position;
    }
    return this.#end;
  }

  async #recordAt(start: number): Promise<SpoolRecord | undefined> {
    const probe = this.#held(start, PROBE_BYTES) ?? (await this.#load(start, PROBE_BYTES));
    const length = plausibleRecordBytes(probe, this.#end - start);
    if (length === undefined) return undefined;
    const bytes = this.#held(start, length) ?? (await this.#load(start, length));
    return bytes.length < length ? undefined : decodeRecord(bytes, this.#segment, start);
  }

  #held(start: number, length: number): Buffer | undefined {
    const from = start - this.#windowStart;
    return from + length > this.#window.length ? undefined : this.#window.subarray(from, from + length);
  }

  /** Fewer bytes only at the end of the file. */
  async #load(start: number, length: number): Promise<Buffer> {
    const room = this.#end - start;
    if (room < length) return Buffer.alloc(0);
    try {
      this.#window = await this.#read(start, Math.min(room, Math.max(length, WINDOW_BYTES)));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      // The place that cannot be read may lie behind this record.
      this.#window = await this.#read(start, length);
    }
    this.#windowStart = start;
    return this.#window.subarray(0, length);
  }

  #read(start: number, length: number): Promise<Buffer> {
    return readAt(this.#io, this.#fd, length, start);
  }
}
