import { linesOf } from '../../demo/receivers/lines.ts';
import { hashLine } from '../../test/helpers/line-multiset.ts';
import type { Operation } from './operation.ts';

/** A line of the log. */
export interface WrittenLine {
  readonly hash: Buffer;
  /** Where it ends in its file, the newline included. */
  readonly end: number;
}

/** Every line that was written up to one place of the record, by the inode of its file; also of files that are gone. */
export class LogLedger {
  readonly #path: string;
  readonly #files = new Map<bigint, WrittenLine[]>();

  /** @param path of the live file. Each write to it holds whole lines. */
  constructor(path: string) {
    this.#path = path;
  }

  get files(): ReadonlyMap<bigint, readonly WrittenLine[]> {
    return this.#files;
  }

  apply({ kind, inode, path, offset, data }: Operation): void {
    if (kind === 'create' && path === this.#path) this.#files.set(inode, []);
    const file = kind === 'write' ? this.#files.get(inode) : undefined;
    if (file === undefined) return;
    let end = offset;
    for (const line of linesOf(data)) {
      end += line.length + 1;
      file.push({ hash: hashLine(line), end });
    }
  }
}
