import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AuditailError, errorCode } from '../../errors.ts';
import { Inflater } from './inflater.ts';

/** The operand that stands for stdin. */
export const STDIN = '-';

/** Bytes a read. */
const CHUNK_BYTES = 1024 * 1024;

/** What a gzip member begins with (RFC 1952). */
const GZIP_MAGIC = [0x1f, 0x8b] as const;

export interface InputEvents {
  /** Bytes of the input as it is, compressed or not. */
  read(bytes: number): void;
  /** A piece of its content, inflated if need be; the buffer is reused after the call. */
  content(chunk: Buffer): void;
}

/**
 * Reads a file, or stdin for `-`, to its end, through gzip when it begins like gzip.
 *
 * @throws AuditailError `INPUT_READ`; what could be read before was given to `content`
 */
export async function readInput(path: string, stdin: Readable, events: InputEvents): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    if (path !== STDIN) handle = await open(path);
    if (handle !== undefined && (await handle.stat()).isDirectory()) {
      throw new AuditailError('INPUT_READ', `${path} is a directory`, { hint: `Name the files in it: ${path}/*` });
    }
    await readContent(handle === undefined ? chunksOfStream(stdin) : chunksOf(handle), events);
  } catch (cause) {
    if (cause instanceof AuditailError) throw cause;
    throw unreadable(path === STDIN ? 'stdin' : path, cause);
  } finally {
    await handle?.close();
  }
}

function unreadable(name: string, cause: unknown): AuditailError {
  if (errorCode(cause)?.startsWith('Z_')) {
    return new AuditailError('INPUT_READ', `${name} is not whole gzip`, {
      cause,
      hint: 'What it holds up to there is counted',
    });
  }
  return new AuditailError('INPUT_READ', `cannot read ${name}`, { cause });
}

async function readContent(chunks: AsyncIterable<Buffer>, events: InputEvents): Promise<void> {
  let inflater: Inflater | undefined;
  let beginning: Buffer | undefined = Buffer.alloc(0);
  try {
    for await (const chunk of chunks) {
      events.read(chunk.length);
      let next = chunk;
      if (beginning !== undefined) {
        // A pipe may give a single byte, which does not tell yet.
        next = Buffer.concat([beginning, chunk]);
        if (next.length === 1) {
          beginning = next;
          continue;
        }
        beginning = undefined;
        if (next[0] === GZIP_MAGIC[0] && next[1] === GZIP_MAGIC[1]) inflater = new Inflater(events.content);
      }
      if (inflater === undefined) events.content(next);
      else await inflater.write(next);
    }
    if (beginning !== undefined && beginning.length > 0) events.content(beginning);
    await inflater?.end();
  } finally {
    inflater?.destroy();
  }
}

/** Reads ahead by one chunk: the disk works while the last chunk is scanned. No position is given, so pipes work too. */
async function* chunksOf(handle: FileHandle): AsyncGenerator<Buffer> {
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const;
  const read = (turn: number) => {
    const reading = handle.read(buffers[turn % 2]!, 0, CHUNK_BYTES, null);
    // It is awaited a turn later, or never when the consumer fails before.
    reading.catch(() => undefined);
    return reading;
  };
  let reading = read(0);
  for (let turn = 0; ; turn += 1) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) return;
    reading = read(turn + 1);
    yield buffers[turn % 2]!.subarray(0, bytesRead);
  }
}

/**
 * Frees each chunk when the next one is asked for. A stream has a buffer for each, and the collector lets tens of MiB of
 * them come together, more on a busy host.
 */
async function* chunksOfStream(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield chunk;
    const { buffer } = chunk;
    // A small chunk may be a part of Node's pool, which others use too.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0);
  }
}
