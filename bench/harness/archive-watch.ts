import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { archiveFiles } from '../../test/helpers/archive-reader.ts';
import { hashLine, LINE_HASH_BYTES } from '../../test/helpers/line-multiset.ts';

const LOOK_MS = 50;
const TIME_BYTES = 8;

interface Snapshot {
  /** Size and time of the last change, before the file was read. */
  readonly version: string;
  /** Epoch milliseconds, before the file was read. */
  readonly at: number;
  readonly content: Buffer;
}

/**
 * Watches when lines come to be in an archive, as a reader of its files sees it: whatever has grown is copied at once, and
 * read when there is time.
 */
export class ArchiveWatch {
  readonly #directory: string;
  readonly #snapshots = new Map<string, Snapshot[]>();
  readonly #watching: Promise<void>;
  #stopped = false;

  constructor(directory: string) {
    this.#directory = directory;
    this.#watching = this.#watch();
    this.#watching.catch(() => {});
  }

  /**
   * Ends the watching.
   *
   * @param ledger hashes of the lines written, and `times` when each was, as the demo's writer keeps them
   * @returns milliseconds from append to archive of every line. @throws Error when one is not there.
   */
  async latencies(ledger: string, times: string): Promise<Float64Array> {
    this.#stopped = true;
    await this.#watching;
    const archived = await this.#archivedAt();
    const hashes = readFileSync(ledger);
    const written = readFileSync(times);
    const count = written.length / TIME_BYTES;
    const latencies = new Float64Array(count);
    let missing = 0;
    for (let line = 0; line < count; line++) {
      const at = archived.get(hashes.toString('latin1', line * LINE_HASH_BYTES, (line + 1) * LINE_HASH_BYTES));
      if (at === undefined) missing++;
      else latencies[line] = at - written.readDoubleLE(line * TIME_BYTES);
    }
    if (missing > 0) throw new Error(`${missing} of ${count} lines did not come to be in the archive`);
    return latencies;
  }

  async #watch(): Promise<void> {
    for (let last = false; ; last = this.#stopped) {
      for (const file of await archiveFiles(this.#directory).catch(() => [])) {
        const at = performance.timeOrigin + performance.now();
        const { size, mtimeNs } = await stat(join(this.#directory, file), { bigint: true });
        const version = `${size} ${mtimeNs}`;
        const before = this.#snapshots.get(file) ?? [];
        if (before.at(-1)?.version === version) continue;
        before.push({ version, at, content: await readFile(join(this.#directory, file)) });
        this.#snapshots.set(file, before);
      }
      // One more look after the end was asked for.
      if (last) return;
      await sleep(LOOK_MS);
    }
  }

  /** When each line was there first, by its hash. */
  async #archivedAt(): Promise<Map<string, number>> {
    const first = new Map<string, number>();
    for (const snapshots of this.#snapshots.values()) {
      for (const { at, content } of snapshots) {
        const text = await readableContent(content);
        let start = 0;
        for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, start)) {
          const hash = hashLine(text.subarray(start, end)).toString('latin1');
          if (!first.has(hash)) first.set(hash, at);
          start = end + 1;
        }
      }
    }
    return first;
  }
}

/** As far as it can be read: between two commits a file may end in the middle of a block. */
async function readableContent(compressed: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  const gunzip = createGunzip();
  gunzip.on('data', (part: Buffer) => parts.push(part));
  await new Promise<void>((resolve) => {
    gunzip.once('end', resolve).once('error', () => resolve());
    gunzip.end(compressed);
  });
  return Buffer.concat(parts);
}
