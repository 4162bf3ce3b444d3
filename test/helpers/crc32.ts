/** CRC-32 of RFC 1952, section 8, one byte at a time: the reader of archives shares no code with their writer. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Continues a running CRC-32 (0 at the start) over further bytes. */
export function crc32(running: number, bytes: Uint8Array): number {
  let crc = ~running;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
