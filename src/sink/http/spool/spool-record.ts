import { crc32 } from 'node:zlib';
import type { HttpEvent } from '../http-event.ts';

/** What stands before the texts of a record. */
const FIXED_BYTES = 40;

/** Length and CRC-32, which the length does not count. */
const FRAME_BYTES = 8;

/** Records are written in pieces of about this size, so that a large write costs little memory. */
const PIECE_BYTES = 1024 * 1024;

/** A record as it stands in a segment. */
export interface SpoolRecord {
  /** Where it begins in the file, and where the next one does. */
  readonly start: number;
  readonly end: number;
  /** Where the write that it came with began: everything before that was durable by then. */
  readonly writeStart: number;
  /** Reads the event; its line is a copy. */
  event(): HttpEvent;
}

/**
 * How many bytes an event takes in a segment, where it is one record. All numbers are little-endian.
 *
 * | at | bytes | what |
 * | --- | --- | --- |
 * | 0 | 4 | length of what stands behind byte 8 |
 * | 4 | 4 | CRC-32 of the length and of what stands behind byte 8, with the segment's number as its first value, so that a block of another segment never passes |
 * | 8 | 4 | offset in the file at which the write began that this record came with |
 * | 12 | 8 | time, a double, milliseconds since the epoch |
 * | 20 | 8 | offset in the source's file, a double |
 * | 28 | 12 | lengths of tag, source and path in bytes, 4 each |
 * | 40 | | tag, source, path, and the line, to the end |
 */
export function recordBytes(event: HttpEvent): number {
  const texts = Buffer.byteLength(event.tag) + Buffer.byteLength(event.source) + Buffer.byteLength(event.path);
  return FIXED_BYTES + texts + event.line.length;
}

/** Encodes records that are written together at `writeStart`, as pieces to write one after the other. */
export function* encodeRecords(events: Iterable<HttpEvent>, segment: number, writeStart: number): Generator<Buffer> {
  let piece = Buffer.allocUnsafe(PIECE_BYTES);
  let used = 0;
  for (const event of events) {
    const bytes = recordBytes(event);
    if (used + bytes > piece.length) {
      if (used > 0) yield piece.subarray(0, used);
      piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, bytes));
      used = 0;
    }
    encodeRecord(event, segment, writeStart, piece.subarray(used, used + bytes));
    used += bytes;
  }
  if (used > 0) yield piece.subarray(0, used);
}

function encodeRecord(event: HttpEvent, segment: number, writeStart: number, into: Buffer): void {
  into.writeUInt32LE(into.length - FRAME_BYTES, 0);
  into.writeUInt32LE(writeStart, 8);
  into.writeDoubleLE(event.time, 12);
  into.writeDoubleLE(event.offset, 20);
  let at = FIXED_BYTES;
  for (const [index, text] of [event.tag, event.source, event.path].entries()) {
    const length = into.write(text, at);
    into.writeUInt32LE(length, 28 + index * 4);
    at += length;
  }
  event.line.copy(into, at);
  into.writeUInt32LE(checksum(into, segment), 4);
}

/**
 * The length of the record that `bytes` begin with, as far as they tell: undefined when there is none that fits into
 * `room` bytes. Needs the first 40 bytes.
 */
export function plausibleRecordBytes(bytes: Buffer, room: number): number | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  const length = bytes.readUInt32LE(0) + FRAME_BYTES;
  if (length > room) return undefined;
  const texts = bytes.readUInt32LE(28) + bytes.readUInt32LE(32) + bytes.readUInt32LE(36);
  return FIXED_BYTES + texts <= length ? length : undefined;
}

/** The record that `bytes` are, at `start` in the file; undefined when they are not what was written. */
export function decodeRecord(bytes: Buffer, segment: number, start: number): SpoolRecord | undefined {
  if (bytes.readUInt32LE(4) !== checksum(bytes, segment)) return undefined;
  return {
    start,
    end: start + bytes.length,
    writeStart: bytes.readUInt32LE(8),
    event: () => decodeEvent(bytes),
  };
}

function decodeEvent(bytes: Buffer): HttpEvent {
  let at = FIXED_BYTES;
  const text = (lengthAt: number) => {
    const start = at;
    at += bytes.readUInt32LE(lengthAt);
    return bytes.toString('utf8', start, at);
  };
  const tag = text(28);
  const source = text(32);
  const path = text(36);
  return {
    tag,
    source,
    path,
    time: bytes.readDoubleLE(12),
    offset: bytes.readDoubleLE(20),
    // Copied, so that one event that waits for long does not keep all that was read with it.
    line: Buffer.from(bytes.subarray(at)),
  };
}

function checksum(record: Buffer, segment: number): number {
  return crc32(record.subarray(FRAME_BYTES), crc32(record.subarray(0, 4), segment));
}
