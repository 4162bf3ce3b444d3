/**
 * The bytes around the deflate blocks of a gzip member (RFC 1952).
 *
 * A member is `header, block…, final empty block, CRC-32, length`. Every block ends on a sync flush, so what follows it
 * starts on a byte; the final empty block can then be replaced by more blocks and another one behind them.
 */

/** Modification time 0 and operating system 255 ("unknown"): the same content gives the same bytes everywhere. */
export const MEMBER_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** Final empty block with fixed Huffman codes (2), CRC-32 (4), content length (4). */
export const TRAILER_BYTES = 10;

/** What ends a member of `length` bytes of content with the CRC-32 `crc`. The format keeps the length modulo 2^32. */
export function memberTrailer(crc: number, length: number): Buffer {
  const trailer = Buffer.allocUnsafe(TRAILER_BYTES);
  trailer[0] = 0x03;
  trailer[1] = 0x00;
  trailer.writeUInt32LE(crc >>> 0, 2);
  trailer.writeUInt32LE(length % 2 ** 32, 6);
  return trailer;
}
