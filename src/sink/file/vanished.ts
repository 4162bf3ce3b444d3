import type { ArchiveRecords } from '../../checkpoint/archive-records.ts';
import type { FileIo } from '../file-io.ts';
import { lstatOrNothing } from './registrar.ts';

const BATCH = 100;

/**
 * How long the name of a file that is gone stays taken. Late events of an hour that was shipped and deleted go to a
 * numbered sibling meanwhile, so that they do not replace what was shipped under the name.
 */
const REMEMBERED_MS = 7 * 24 * 3_600_000;

/**
 * Forgets the records of files that somebody deleted long ago, so that the state does not grow for ever where other
 * programs do the retention. Looks at a few records in each call, in turns.
 */
export class VanishedFiles {
  readonly #sink: string;
  readonly #records: ArchiveRecords;
  readonly #io: FileIo;
  #after = 0;

  constructor(sink: string, records: ArchiveRecords, io: FileIo) {
    this.#sink = sink;
    this.#records = records;
    this.#io = io;
  }

  async forget(now: number): Promise<void> {
    const batch = this.#records.closedAfter(this.#sink, this.#after, BATCH);
    this.#after = batch.at(-1)?.id ?? 0;
    for (const { id, path, committedAt } of batch) {
      if (now - (committedAt ?? now) < REMEMBERED_MS) continue;
      if (!(await this.#isGone(path)) || !this.#records.isClosed(id)) continue;
      // With the last record the state would look like that of another archive.
      if (id !== this.#records.newestId(this.#sink)) this.#records.remove([id]);
    }
  }

  async #isGone(path: string): Promise<boolean> {
    try {
      return (await lstatOrNothing(this.#io, path)) === undefined;
    } catch {
      // Nothing depends on this one: it stays until it can be looked at.
      return false;
    }
  }
}
