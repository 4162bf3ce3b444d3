import { type FileHandle, open } from 'node:fs/promises';
import { Gunzip } from 'fflate';
import { crc32 } from './crc32.ts';

/** Compressed bytes read at a time; what they inflate to is held in memory. */
const CHUNK_BYTES = 32 * 1024;

const TRAILER_BYTES = 8;

/** A gzip file that cannot be read to its end, or whose content is not what a trailer says. */
export class DamagedGzip extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'DamagedGzip';
  }
}

/**
 * Inflates a gzip file of any number of members, with memory for one chunk, and checks every member.
 *
 * The inflater is fflate, which is pure JavaScript and shares no code with zlib. fflate handles members, but reads past
 * trailers without looking at them, and takes a file that ends inside a trailer or inside the next member's header
 * for whole. So the CRC-32 and length in each trailer (RFC 1952, section 2.3.1) are compared here: at the end of
 * a torn file the last eight bytes are no trailer, and the comparison fails.
 *
 * @throws DamagedGzip after the pieces that could still be inflated were yielded.
 */
export async function* readGzip(path: string): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // In the order in which fflate tells them: content, and the ends of members.
    let pieces: { bytes: Uint8Array; memberEnd: number | undefined }[] = [];
    const gunzip = new Gunzip((bytes) => pieces.push({ bytes, memberEnd: undefined }));
    gunzip.onmember = (offset) => pieces.push({ bytes: new Uint8Array(0), memberEnd: offset });

    let crc = 0;
    let length = 0;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
      if (bytesRead === 0) throw new DamagedGzip(path, `shrank from ${size} to ${at} bytes while it was read`);
      at += bytesRead;
      pieces = [];
      let failure: unknown;
      try {
        // A copy, since fflate keeps what it could not use yet.
        gunzip.push(new Uint8Array(chunk.subarray(0, bytesRead)), at >= size);
      } catch (error) {
        failure = error;
      }
      for (const { bytes, memberEnd } of pieces) {
        if (memberEnd !== undefined) {
          await checkTrailer(file, path, memberEnd, crc, length);
          crc = 0;
          length = 0;
        }
        if (bytes.length === 0) continue;
        crc = crc32(crc, bytes);
        length += bytes.length;
        yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      }
      if (failure !== undefined) {
        throw new DamagedGzip(path, failure instanceof Error ? failure.message : String(failure));
      }
    }
    await checkTrailer(file, path, size, crc, length);
  } finally {
    await file.close();
  }
}

/** Compares a member's content with the trailer that ends at `end`. */
async function checkTrailer(file: FileHandle, path: string, end: number, crc: number, length: number): Promise<void> {
  if (end < TRAILER_BYTES) throw new DamagedGzip(path, `${end} bytes are no gzip member`);
  const trailer = Buffer.alloc(TRAILER_BYTES);
  await file.read(trailer, 0, TRAILER_BYTES, end - TRAILER_BYTES);
  const at = `trailer at ${end - TRAILER_BYTES}`;
  const wantedCrc = trailer.readUInt32LE(0);
  const wantedLength = trailer.readUInt32LE(4);
  if (wantedCrc !== crc) {
    throw new DamagedGzip(path, `${at}: CRC-32 is ${wantedCrc.toString(16)}, that of the content ${crc.toString(16)}`);
  }
  // RFC 1952: the length modulo 2^32.
  if (wantedLength !== length % 0x1_0000_0000) {
    throw new DamagedGzip(path, `${at}: length is ${wantedLength}, that of the content ${length}`);
  }
}
