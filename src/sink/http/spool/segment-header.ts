import { crc32 } from 'node:zlib';
import { AuditailError } from '../../../errors.ts';

export const HEADER_BYTES = 24;

const MAGIC = Buffer.from('AUSPOOL');
const VERSION = 1;

export interface SegmentHeader {
  readonly number: number;
  /** The segment that stood before this one when it was made; 0: none did. */
  readonly previous: number;
  /** How long that one was: it is never written to again. */
  readonly previousEnd: number;
}

/**
 * The first bytes of a segment: `AUSPOOL`, the version of the format (1 byte), the segment's number, the number and the
 * length of the segment before it, and the CRC-32 of all that (4 bytes each, little-endian).
 */
export function encodeHeader({ number, previous, previousEnd }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes[MAGIC.length] = VERSION;
  bytes.writeUInt32LE(number, 8);
  bytes.writeUInt32LE(previous, 12);
  bytes.writeUInt32LE(previousEnd, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/**
 * Reads a header; undefined when it is none, or another segment's.
 *
 * @throws AuditailError `SPOOL_VERSION` when a newer program wrote it.
 */
export function decodeHeader(bytes: Buffer, number: number, path: string): SegmentHeader | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (bytes.readUInt32LE(20) !== crc32(bytes.subarray(0, 20))) return undefined;
  const version = bytes[MAGIC.length]!;
  if (version > VERSION) {
    throw new AuditailError('SPOOL_VERSION', `the spool file ${path} was written by a newer auditail`, {
      hint: `It has version ${version} and this program knows ${VERSION}: install the newer auditail again`,
    });
  }
  if (bytes.readUInt32LE(8) !== number) return undefined;
  return { number, previous: bytes.readUInt32LE(12), previousEnd: bytes.readUInt32LE(16) };
}
