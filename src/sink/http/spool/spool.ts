import path from 'node:path';
import type { SpoolPlace, SpoolRecords } from '../../../checkpoint/spool-records.ts';
import type { Durability, HttpSinkConfig } from '../../../config/types.ts';
import { AuditailError, errorCode } from '../../../errors.ts';
import type { HttpOccurrences } from '../../../telemetry/http-occurrences.ts';
import { type FileIo, nodeFileIo } from '../../file-io.ts';
import type { HttpEvent } from '../http-event.ts';
import { isUnreadable, RecordReader } from './record-reader.ts';
import { SpoolRecovery } from './recover-spool.ts';
import type { Segment, SpoolRange } from './segment.ts';
import { SegmentList } from './segment-list.ts';
import { SpoolDirectory } from './spool-directory.ts';
import { spoolFullError } from './spool-error.ts';
import { type Append, SpoolWriter } from './spool-writer.ts';

export interface SpoolOptions {
  /** The spool's files are in `<stateDir>/spool/<sink>/`. */
  readonly stateDir: string;
  readonly sink: string;
  readonly config: HttpSinkConfig['spool'];
  readonly records: Pick<SpoolRecords, 'acknowledged'>;
  readonly occurrences: HttpOccurrences;
  readonly durability: Durability;
  readonly io?: FileIo;
}

/** Names events that were given out or are held, for {@link Spool.acknowledge}. */
export class SpoolReceipt {
  readonly held: Append | SpoolRange;

  constructor(held: Append | SpoolRange) {
    this.held = held;
  }
}

/** Events to send, and what acknowledges them. */
export interface SpoolBatch {
  readonly events: readonly HttpEvent[];
  readonly receipt: SpoolReceipt;
}

/**
 * Events on disk while a sink's receiver is away: a queue of records in numbered files (segments), as `segment-header.ts`
 * and `spool-record.ts` describe them. What is flushed comes back, in order, until it is acknowledged; after a restart
 * everything is given out again that lies behind the durable acknowledged place. A file is deleted when that place has
 * passed it, so a crash repeats events and loses none.
 */
export class Spool {
  readonly #directory: SpoolDirectory;
  readonly #segments: SegmentList;
  readonly #writer: SpoolWriter;
  readonly #config: HttpSinkConfig['spool'];
  readonly #occurrences: HttpOccurrences;
  #reading: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /**
   * Opens a spool and brings it into order: deletes what is acknowledged, cuts the torn end of the last write, and keeps
   * what is damaged apart, once the rest of it is sent, as `<number>.damaged`. Reads the files once, at the disk's speed.
   *
   * @throws AuditailError `SPOOL_OPEN`, and `SPOOL_VERSION` when a newer program wrote it.
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { stateDir, sink, config, records, occurrences, durability, io = nodeFileIo } = options;
    const directory = new SpoolDirectory(path.join(stateDir, 'spool', sink), io, durability);
    const place = records.acknowledged(sink);
    try {
      await directory.create();
      const recovery = new SpoolRecovery({ directory, place, overflow: config.overflow, occurrences });
      const { segments, highest } = await recovery.run();
      const list = new SegmentList(directory, occurrences, segments, place);
      const writer = new SpoolWriter({ directory, segments: list, config, durability, highest });
      return new Spool(directory, list, writer, config, occurrences);
    } catch (cause) {
      if (cause instanceof AuditailError) throw cause;
      throw new AuditailError('SPOOL_OPEN', `cannot open the spool in ${directory.path}`, {
        cause,
        hint: 'The agent needs to read and write it and its files (state_dir)',
      });
    }
  }

  private constructor(
    directory: SpoolDirectory,
    segments: SegmentList,
    writer: SpoolWriter,
    config: HttpSinkConfig['spool'],
    occurrences: HttpOccurrences,
  ) {
    this.#directory = directory;
    this.#segments = segments;
    this.#writer = writer;
    this.#config = config;
    this.#occurrences = occurrences;
    this.#tellSize();
  }

  /** Events that are not acknowledged, on disk and waiting to be written. */
  get events(): number {
    return this.#segments.events + this.#writer.waitingEvents;
  }

  /** Bytes of the files, which are deleted as a whole, and of what waits to be written. `max_bytes` limits them. */
  get bytes(): number {
    return this.#segments.bytes + this.#writer.waitingBytes;
  }

  /** Nothing is unacknowledged. */
  get isEmpty(): boolean {
    return this.events === 0;
  }

  /** Whether {@link append} takes something. With `overflow: drop_oldest` only what waits to be written limits that. */
  get hasRoom(): boolean {
    return this.#writer.hasRoom && (this.#config.overflow === 'drop_oldest' || this.bytes < this.#config.maxBytes);
  }

  /**
   * Takes events, in order, to be written with the next {@link flush}; until that resolves they are in memory only and
   * the caller has to keep its claim to them. `isHeld`: the caller sends them itself and acknowledges the receipt, at any
   * time; {@link read} leaves them out. What is acknowledged before it is written is not written.
   *
   * @throws AuditailError `SPOOL_FULL` when there is no room: nothing was taken then.
   */
  append(events: readonly HttpEvent[], { isHeld = false }: { isHeld?: boolean } = {}): SpoolReceipt {
    if (this.#isClosed) throw new AuditailError('SPOOL_CLOSED', `the spool in ${this.#directory.path} is closed`);
    if (!this.hasRoom) throw spoolFullError(this.#directory.path);
    return new SpoolReceipt(this.#writer.append(events, isHeld));
  }

  /**
   * Resolves when what was appended with `receipt`, or everything that was appended before, is written and (with
   * durability `disk`) synced. Calls at the same time share one sync.
   *
   * With a receipt, a rejection means that nothing of its events is in the spool: append them again. Without one it means
   * that of some. What other receipts name, and what was durable before, is not touched by that.
   *
   * @throws AuditailError `SPOOL_NO_SPACE`, `SPOOL_WRITE`
   */
  async flush(receipt?: SpoolReceipt): Promise<void> {
    const flushed = this.#writer.flush();
    if (receipt !== undefined && 'durable' in receipt.held) {
      flushed.catch(() => undefined);
      await receipt.held.durable;
    } else {
      await flushed;
    }
    this.#tellSize();
  }

  /**
   * The next flushed events that nobody was given and nobody holds: at least one, then as many as stay within the
   * limits (bytes are those of lines). Undefined when there are none now.
   *
   * @throws AuditailError `SPOOL_READ` when the disk refuses for the moment; damage is told and passed over.
   */
  read(limits: { readonly events: number; readonly bytes: number }): Promise<SpoolBatch | undefined> {
    const batch = this.#reading.then(() => this.#readNext(limits));
    this.#reading = batch.catch(() => undefined);
    return batch;
  }

  /** The events are done with: delivered, or dead letters. In any order; may be repeated. */
  acknowledge({ held }: SpoolReceipt): void {
    if (!('durable' in held)) {
      held.segment.acknowledge(held);
    } else if (held.isHeld) {
      held.isAcknowledged = true;
      held.range?.segment.acknowledge(held.range);
    }
    this.#tellSize();
  }

  /** Up to where everything is acknowledged, to be saved with the next commit; undefined when nothing ever was spooled. */
  get place(): SpoolPlace | undefined {
    return this.#segments.place;
  }

  /** A place that {@link place} gave is durable: files that lie before it are deleted. */
  async committed(place: SpoolPlace): Promise<void> {
    await this.#writer.sealDone();
    await this.#segments.release(place);
    this.#tellSize();
  }

  /** Writes what was appended, and closes the files. May be repeated. @throws as {@link flush}; it is closed all the same. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading;
    await this.#writer.close();
  }

  async #readNext(limits: { readonly events: number; readonly bytes: number }): Promise<SpoolBatch | undefined> {
    for (const segment of this.#segments.all) {
      for (let range = segment.unread(); range !== undefined && !segment.isGone; range = segment.unread()) {
        const batch = await this.#readRange(segment, range, limits);
        if (batch !== undefined) return batch;
      }
    }
    return undefined;
  }

  /** Undefined when the range holds no record that can be read, or its file is gone: then it is passed over. */
  async #readRange(
    segment: Segment,
    range: { readonly start: number; readonly end: number },
    limits: { readonly events: number; readonly bytes: number },
  ): Promise<SpoolBatch | undefined> {
    const events: HttpEvent[] = [];
    let end = range.start;
    try {
      await this.#directory.reading(segment.path, async (fd) => {
        const reader = new RecordReader(this.#directory.io, fd, segment.number, range);
        let bytes = 0;
        for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
          if (!('event' in found)) {
            this.#tellDamage(segment, `bytes ${found.start} to ${found.end} hold no readable record`);
          } else {
            const event = found.event();
            bytes += event.line.length;
            if (events.length > 0 && bytes > limits.bytes) return;
            events.push(event);
          }
          end = found.end;
          if (events.length >= limits.events) return;
        }
      });
    } catch (error) {
      // Its oldest events may have made room meanwhile.
      if (segment.isGone) return undefined;
      if (errorCode(error) !== 'ENOENT' && !isUnreadable(error)) throw spoolReadError(segment.path, error);
      this.#tellDamage(segment, errorCode(error) === 'ENOENT' ? 'the file is gone' : 'it cannot be read');
      end = range.end;
    }
    const given = segment.hold(range.start, end, events.length);
    if (events.length > 0) return { events, receipt: new SpoolReceipt(given) };
    segment.acknowledge(given);
    return undefined;
  }

  /** Once for each segment: what is damaged at a start was told then. */
  #tellDamage(segment: Segment, reason: string): void {
    if (segment.damage === undefined) {
      this.#occurrences.spoolDamaged(segment.path, reason, this.#directory.damagedPath(segment.number));
    }
    segment.damage ??= reason;
  }

  #tellSize(): void {
    this.#occurrences.spoolSize(this.events, this.bytes);
  }
}

function spoolReadError(file: string, cause: unknown): AuditailError {
  return new AuditailError('SPOOL_READ', `cannot read the spool file ${file}`, { cause });
}
