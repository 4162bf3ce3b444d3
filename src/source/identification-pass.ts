import type { FoundFile } from './discovery.ts';
import type { Identified, Identity } from './identify.ts';
import type { Known } from './known-segments.ts';

/** What one pass over the directory has told so far. */
export class IdentificationPass {
  readonly identified: Identified[] = [];
  readonly #taken = new Map<Known, FoundFile>();
  readonly #inodes = new Set<string>();
  readonly #begun: { head: string; file: FoundFile }[] = [];
  readonly #paths: ReadonlySet<string>;

  constructor(paths: readonly string[]) {
    this.#paths = new Set(paths);
  }

  /** Whether the file that this gzip part was or is being made of stands beside it. */
  hasOriginal(gzip: FoundFile): boolean {
    return this.#paths.has(gzip.path.slice(0, -'.gz'.length));
  }

  sawInode({ device, inode }: FoundFile): boolean {
    const key = `${device}:${inode}`;
    return this.#inodes.size === this.#inodes.add(key).size;
  }

  has(known: Known): boolean {
    return this.#taken.has(known);
  }

  placeOf(known: Known): FoundFile | undefined {
    return this.#taken.get(known);
  }

  begin(file: FoundFile, head: string): Identity {
    this.#begun.push({ head, file });
    return { kind: 'new', head };
  }

  /** Files with this head that were found to be new. */
  begun(head: string): FoundFile[] {
    return this.#begun.filter((one) => one.head === head).map(({ file }) => file);
  }

  add(identified: Identified): void {
    this.identified.push(identified);
  }

  take(known: Known, file: FoundFile): Identity {
    this.#taken.set(known, file);
    return { kind: 'known', known };
  }

  found(file: FoundFile, stream: string, known: Known): void {
    this.add({ file, stream, identity: this.take(known, file) });
  }
}
