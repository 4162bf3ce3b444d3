/**
 * What compression keeps of its ratio when little is written at a time: `node bench/small-flushes.ts [megabytes]`.
 *
 * Audit-like lines for 30 namespaces, each namespace a file of its own, cut into pieces of whole lines as commits would.
 * Compared are the ways to make each piece readable at once: those of the archive, a frame for each piece, and a
 * compressor for each file that is kept from piece to piece. CPU is that of the whole process.
 */
import { once } from 'node:events';
import zlib from 'node:zlib';
import { ARCHIVE_FORMATS, type ArchiveFormat } from '../src/sink/file/archive-format.ts';
import { auditLines } from './audit-lines.ts';

const PIECE_BYTES = [1500, 16_000, 262_144];
const DICTIONARY_BYTES = 32 * 1024;
const { constants } = zlib;

type Piece = readonly [start: number, end: number];

/** Gives the bytes that one file takes. */
type Way = (content: Buffer, pieces: readonly Piece[]) => Promise<number>;

const WAYS: Record<string, Way> = {
  'gzip 6, as the archive writes it': joined(ARCHIVE_FORMATS.gzip, 6),
  'zstd 1, as the archive writes it': joined(ARCHIVE_FORMATS.zstd, 1),
  'zstd 3, as the archive writes it': joined(ARCHIVE_FORMATS.zstd, 3),
  'zstd 1, a frame for each piece': framed,
  'zstd 1, kept compressor, window of 128 KiB': kept(17),
  'zstd 1, kept compressor, window of 512 KiB': kept(19),
};

const files = contents(Number(process.argv[2] ?? 217) * 1e6);
const total = files.reduce((sum, { length }) => sum + length, 0);
console.log(`${(total / 1e6).toFixed(0)} MB in ${files.length} files`);
for (const pieceBytes of PIECE_BYTES) {
  const cut = files.map((content) => ({ content, pieces: piecesOf(content, pieceBytes) }));
  const count = cut.reduce((sum, { pieces }) => sum + pieces.length, 0);
  console.log(`${count} pieces of ${pieceBytes} bytes and the rest of a line`);
  for (const [name, way] of Object.entries(WAYS)) {
    const before = process.cpuUsage();
    const sizes = await Promise.all(cut.map(({ content, pieces }) => way(content, pieces)));
    const { user, system } = process.cpuUsage(before);
    const size = sizes.reduce((sum, one) => sum + one, 0);
    const seconds = ((user + system) / 1e6).toFixed(2);
    console.log(`  ${name.padEnd(46)} ratio ${(total / size).toFixed(2).padStart(5)}  CPU ${seconds} s`);
  }
}

function joined(format: ArchiveFormat, level: number): Way {
  return async (content, pieces) => {
    let size = format.header.length + format.trailerBytes;
    for (const [start, end] of pieces) {
      const startsMember = start === 0;
      const dictionary = startsMember ? undefined : content.subarray(Math.max(0, start - DICTIONARY_BYTES), start);
      size += (await format.codec!.compress({ content: content.subarray(start, end), dictionary, startsMember, level }))
        .length;
    }
    return size;
  };
}

async function framed(content: Buffer, pieces: readonly Piece[]): Promise<number> {
  let size = 0;
  for (const [start, end] of pieces) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
    zlib.zstdCompress(content.subarray(start, end), options, (error, frame) => {
      if (error === null) resolve(frame);
      else reject(error);
    });
    size += (await promise).length;
  }
  return size;
}

function kept(windowLog: number): Way {
  return async (content, pieces) => {
    const compressor = zlib.createZstdCompress({
      params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: windowLog },
      flush: constants.ZSTD_e_flush,
      chunkSize: 64 * 1024,
    });
    let size = 0;
    compressor.on('data', (part: Buffer) => {
      size += part.length;
    });
    for (const [start, end] of pieces) {
      const { promise, resolve } = Promise.withResolvers<void>();
      compressor.write(content.subarray(start, end), () => resolve());
      await promise;
    }
    compressor.end();
    await once(compressor, 'end');
    return size;
  };
}

function piecesOf(content: Buffer, bytes: number): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf(10, start + bytes - 1);
    const end = newline === -1 ? content.length : newline + 1;
    pieces.push([start, end]);
    start = end;
  }
  return pieces;
}

function contents(bytes: number): Buffer[] {
  const byTag = new Map<string, Buffer[]>();
  for (const { tag, bytes: line } of auditLines(bytes)) {
    const lines = byTag.get(tag) ?? [];
    lines.push(line, Buffer.from('\n'));
    byTag.set(tag, lines);
  }
  return [...byTag.values()].map((lines) => Buffer.concat(lines));
}
