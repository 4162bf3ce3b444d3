import { AuditailError } from '../errors.ts';
import type { FoundFile, FoundStream } from './discovery.ts';
import { GzipFile } from './gzip-file.ts';
import { readHead } from './head.ts';
import type { Known, KnownSegments } from './known-segments.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { hasMoved } from './plain-file.ts';
import type { Segment } from './segment.ts';
import type { SegmentFile } from './segment-file.ts';

/**
 * What a found file is. `known`: a segment's file, wherever it is now. `new`: a segment never seen before. `copy`: the
 * same content as a segment that still stands (the first half of copytruncate, a gzip beside its original).
 * `unready`: too short to be told, or a gzip that is still being written. `empty`: a rotated part without content.
 */
export type Identity =
  | { readonly kind: 'known'; readonly known: Known }
  | { readonly kind: 'new'; readonly head: string }
  | { readonly kind: 'copy' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unready'; readonly head: string | undefined };

export interface Identified {
  readonly file: FoundFile;
  readonly stream: string;
  readonly identity: Identity;
}

/** Bytes at the end of a copy that must be those of the original. */
const COPY_CHECK_BYTES = 1024;

/** Tells found files by device, inode and head; the path is never identity. */
export class Identifier {
  readonly #known: KnownSegments;
  /** How long a rotated part must have been left alone to be taken as it is. */
  readonly #isStill: (file: FoundFile) => boolean;
  readonly #unreadable: (file: FoundFile, error: unknown) => void;
  /** A rotation came in between: another look is needed. */
  readonly #moved: () => void;
  /** Whether an open segment still has the content that was read from it. */
  readonly #isIntact: (segment: Segment) => Promise<boolean>;
  #heads = new Map<string, string | undefined>();

  constructor(
    known: KnownSegments,
    hooks: {
      isStill: (file: FoundFile) => boolean;
      isIntact: (segment: Segment) => Promise<boolean>;
      unreadable: (file: FoundFile, error: unknown) => void;
      moved: () => void;
    },
  ) {
    this.#known = known;
    this.#isStill = hooks.isStill;
    this.#isIntact = hooks.isIntact;
    this.#unreadable = hooks.unreadable;
    this.#moved = hooks.moved;
  }

  async identify(streams: readonly FoundStream[]): Promise<Identified[]> {
    const rest = streams.flatMap(({ path, files }) => files.map((file) => ({ file, stream: path })));
    // Live names first, then rotated ones, gzip last: of two names of one file the live one counts, and a gzip is
    // told only after its original. A backup copy has a longer name than its original.
    rest.sort((a, b) => rank(a.file) - rank(b.file) || a.file.path.length - b.file.path.length);
    const pass = new Pass(rest.map(({ file }) => file.path));
    const byHead: { file: FoundFile; stream: string; head: string }[] = [];
    for (const { file, stream } of rest) {
      if (pass.sawInode(file)) continue;
      const open = this.#known.openAt(file.device, file.inode);
      if (open !== undefined) {
        pass.found(file, stream, open);
        continue;
      }
      await this.#unlessMoved(file, stream, pass, async () => {
        const head = await this.#head(file);
        if (head === undefined) return this.#withoutHead(file, pass);
        const exact = this.#known
          .withHead(head)
          .find((known) => known.device === file.device && known.inode === file.inode && !pass.has(known));
        if (exact !== undefined && !file.gzip) return pass.take(exact, file);
        byHead.push({ file, stream, head });
        return undefined;
      });
    }
    for (const { file, stream, head } of byHead)
      await this.#unlessMoved(file, stream, pass, () => this.#byHead(file, stream, head, pass));
    this.#heads = new Map(rest.map(({ file }) => [cacheKey(file), this.#heads.get(cacheKey(file))]));
    return pass.identified;
  }

  /** A file that is not at its path any more is left to the next look, and so is what had to be compared with it. */
  async #unlessMoved(
    file: FoundFile,
    stream: string,
    pass: Pass,
    tell: () => Promise<Identity | undefined>,
  ): Promise<void> {
    try {
      const identity = await tell();
      if (identity !== undefined) pass.add({ file, stream, identity });
    } catch (error) {
      if (!hasMoved(error)) throw error;
      this.#moved();
      pass.add({ file, stream, identity: { kind: 'unready', head: undefined } });
    }
  }

  /** A rotated part that stays without content: there is nothing to read, unless it is damage that hides it. */
  async #withoutHead(file: FoundFile, pass: Pass): Promise<Identity> {
    if (file.live || !this.#isStill(file)) return { kind: 'unready', head: undefined };
    if (file.gzip && !pass.hasOriginal(file) && (await this.#isDamaged(file)))
      this.#unreadable(file, new AuditailError('GZIP_DAMAGED', `${file.path} is damaged: nothing of it inflates`));
    return { kind: 'empty' };
  }

  async #byHead(file: FoundFile, stream: string, head: string, pass: Pass): Promise<Identity> {
    const candidates = this.#known.withHead(head);
    const free = candidates.filter((known) => !pass.has(known) && known.segment?.file === undefined);
    const known = pickFree(free, file);
    if (known?.row.finished === true && known.segment === undefined) return pass.take(known, file);
    if (file.gzip && !this.#isStill(file) && (await this.#isDamaged(file))) return { kind: 'unready', head };
    if (known !== undefined) return pass.take(known, file);
    // A new live file that begins like its predecessor is the next one all the same.
    const isNextLive = file.live && candidates.length > 0 && candidates.every((other) => other.stream.path === stream);
    if (!isNextLive) {
      const isCopy = await this.#isCopy(file, head, candidates, pass);
      if (isCopy === undefined) return { kind: 'unready', head };
      if (isCopy) return { kind: 'copy' };
      // An original that is just being truncated is no measure: the next look tells.
      for (const { segment } of candidates) {
        if (segment?.file !== undefined && !(await this.#isIntact(segment))) return { kind: 'unready', head };
      }
    }
    // Too little of it inflates to tell it by its content.
    if (file.gzip && pass.hasOriginal(file) && (await this.#isDamaged(file))) return { kind: 'copy' };
    return pass.begin(file, head);
  }

  async #head(file: FoundFile): Promise<string | undefined> {
    const key = cacheKey(file);
    const complete = !file.live && this.#isStill(file);
    if (this.#heads.get(key) !== undefined) return this.#heads.get(key);
    const head = await this.#with(file, async (open) => (await readHead(open, { complete }))?.hash);
    this.#heads.set(key, head);
    return head;
  }

  async #isDamaged(file: FoundFile): Promise<boolean> {
    return (
      (await this.#with(file, async (open) => open instanceof GzipFile && (await open.damage()) !== undefined)) ?? true
    );
  }

  /**
   * Whether the file's content is that of a segment that stands, or of one that this pass found new. Undefined when it
   * cannot be read; where only the original cannot be, a copy of it is what it may be.
   */
  #isCopy(file: FoundFile, head: string, candidates: readonly Known[], pass: Pass): Promise<boolean | undefined> {
    return this.#with(file, async (copy) => {
      for (const { segment } of candidates) {
        if (segment?.file !== undefined && (await sameEnd(copy, segment.file))) return true;
      }
      for (const original of [...candidates.map((known) => pass.placeOf(known)), ...pass.begun(head)]) {
        if (original === undefined) continue;
        if ((await this.#with(original, (other) => sameEnd(copy, other))) ?? true) return true;
      }
      return false;
    });
  }

  async #with<T>(file: FoundFile, use: (open: SegmentFile) => Promise<T>): Promise<T | undefined> {
    try {
      const open = await openSegmentFile(file);
      try {
        return await use(open);
      } finally {
        await open.close();
      }
    } catch (error) {
      if (hasMoved(error)) throw error;
      this.#unreadable(file, error);
      return undefined;
    }
  }
}

/** What one pass over the directory has told so far. */
class Pass {
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

/** Of several segments with one head, whose files are all gone: the one of that name, else an unfinished one. */
function pickFree(free: readonly Known[], file: FoundFile): Known | undefined {
  return (
    free.find((known) => file.path === `${known.path}.gz`) ?? free.find((known) => !known.row.finished) ?? free.at(-1)
  );
}

async function sameEnd(copy: SegmentFile, original: SegmentFile): Promise<boolean> {
  const { size } = await copy.stat();
  const length = Math.min(COPY_CHECK_BYTES, size);
  const ends = await Promise.all(
    [copy, original].map(async (file) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, await file.read(size - length, buffer, 0, length));
    }),
  );
  return ends[0]!.length === length && ends[0]!.equals(ends[1]!);
}

function rank(file: FoundFile): number {
  return file.live ? 0 : file.gzip ? 2 : 1;
}

function cacheKey(file: FoundFile): string {
  return `${file.device}:${file.inode}:${file.size}:${file.changedNs}`;
}
