import type { Anchor } from '../checkpoint/segment-records.ts';
import { AuditailError } from '../errors.ts';
import type { FoundFile, FoundStream } from './discovery.ts';
import { type End, endOf, hasAtPlace } from './file-end.ts';
import type { GzipLook } from './gzip-content.ts';
import { GzipFile } from './gzip-file.ts';
import { readHead } from './head.ts';
import { IdentificationPass } from './identification-pass.ts';
import type { Known, KnownSegments } from './known-segments.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { hasMoved } from './plain-file.ts';
import { findResumePoint, holds } from './resume-point.ts';
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

/** Tells found files by device, inode and head; the path is never identity. */
export class Identifier {
  readonly #known: KnownSegments;
  /** Whether a rotated part that has been left alone since then, in `elapsed`, can be taken as it is. */
  readonly #isStillSince: (since: number) => boolean;
  readonly #lastChange: (modifiedMs: number) => number;
  /** A file could not be read, or was moved since it was found. */
  readonly #trouble: (file: FoundFile, error: unknown) => void;
  /** What was read from a segment, as a commit stored it. */
  readonly #anchors: (known: Known) => readonly Anchor[];
  /** Whether an open segment still has the content that was read from it. */
  readonly #isIntact: (segment: Segment) => Promise<boolean>;
  /** What the last pass found, by {@link cacheKey}: the head, and since when, in `elapsed`, a file is in this state. */
  readonly #heads = new Map<string, string | undefined>();
  /** The same for gzip parts. To learn it takes inflating all of the part, and backups are many. */
  readonly #looks = new Map<string, GzipLook>();
  readonly #ends = new Map<string, End>();
  #since = new Map<string, number>();

  constructor(
    known: KnownSegments,
    hooks: {
      /** When a file of this time was left alone, in `elapsed`; now for one from the future. */
      lastChange: (modifiedMs: number) => number;
      isStillSince: (since: number) => boolean;
      anchors: (known: Known) => readonly Anchor[];
      isIntact: (segment: Segment) => Promise<boolean>;
      trouble: (file: FoundFile, error: unknown) => void;
    },
  ) {
    this.#known = known;
    this.#lastChange = hooks.lastChange;
    this.#isStillSince = hooks.isStillSince;
    this.#anchors = hooks.anchors;
    this.#isIntact = hooks.isIntact;
    this.#trouble = hooks.trouble;
  }

  async identify(streams: readonly FoundStream[]): Promise<Identified[]> {
    const rest = streams.flatMap(({ path, files }) => files.map((file) => ({ file, stream: path })));
    // Live names first, then rotated ones, gzip last: of two names of one file the live one counts, and a gzip is
    // told only after its original. A backup copy has a longer name than its original.
    const since = (file: FoundFile) => this.#since.get(cacheKey(file)) ?? this.#lastChange(file.modifiedMs);
    this.#since = new Map(rest.map(({ file }) => [cacheKey(file), since(file)]));
    rest.sort((a, b) => rank(a.file) - rank(b.file) || a.file.path.length - b.file.path.length);
    const pass = new IdentificationPass(rest.map(({ file }) => file.path));
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
    const keys = new Set(rest.map(({ file }) => cacheKey(file)));
    for (const known of [this.#heads, this.#looks, this.#ends])
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    return pass.identified;
  }

  /** A file that is not at its path any more is left to the next look, and so is what had to be compared with it. */
  async #unlessMoved(
    file: FoundFile,
    stream: string,
    pass: IdentificationPass,
    tell: () => Promise<Identity | undefined>,
  ): Promise<void> {
    try {
      const identity = await tell();
      if (identity !== undefined) pass.add({ file, stream, identity });
    } catch (error) {
      if (!hasMoved(error)) throw error;
      this.#trouble(file, error);
      pass.add({ file, stream, identity: { kind: 'unready', head: undefined } });
    }
  }

  /** A rotated part that stays without content: there is nothing to read, unless it is damage that hides it. */
  async #withoutHead(file: FoundFile, pass: IdentificationPass): Promise<Identity> {
    if (file.live || !this.#isStill(file)) return { kind: 'unready', head: undefined };
    if (file.gzip && !pass.hasOriginal(file) && (await this.#isDamaged(file)))
      this.#trouble(file, new AuditailError('GZIP_DAMAGED', `${file.path} is damaged: nothing of it inflates`));
    return { kind: 'empty' };
  }

  async #byHead(file: FoundFile, stream: string, head: string, pass: IdentificationPass): Promise<Identity> {
    const candidates = this.#known.withHead(head);
    const free = candidates.filter((known) => !pass.has(known) && known.segment?.file === undefined);
    const exact = free.find((known) => known.device === file.device && known.inode === file.inode);
    if (exact?.row.finished === true) return pass.take(exact, file);
    const original = file.gzip ? await this.#originalOf(file, candidates) : undefined;
    if (original !== undefined && !free.includes(original)) return { kind: 'copy' };
    if (original?.row.finished === true) return pass.take(original, file);
    if (file.gzip && !this.#isStill(file) && (await this.#isDamaged(file))) return { kind: 'unready', head };
    if (exact !== undefined) return pass.take(exact, file);
    if (free.length > 0) {
      const known = await this.#pick(free, file);
      if (known === undefined) return { kind: 'unready', head };
      if (known !== 'none') return pass.take(known, file);
      // A compression that stopped, or began before the writer was done, may have less than was read of its original.
      const cutShort = free.find((one) => isGzipOf(file, one));
      if (cutShort !== undefined && ((await this.#isDamaged(file)) || this.#endsBefore(file, cutShort)))
        return pass.take(cutShort, file);
    }
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

  /**
   * The segment that a gzip part was made of by its name, its head, and the length that it says it has: that much was seen
   * of the segment. Each part that its writer compresses would else be inflated once, whole, only to learn that.
   */
  async #originalOf(file: FoundFile, candidates: readonly Known[]): Promise<Known | undefined> {
    const named = candidates.find((known) => isGzipOf(file, known));
    if (named === undefined) return undefined;
    const seen = named.segment?.sizeSeen ?? named.row.sizeSeen;
    const said = await this.#with(file, async (open) => (open instanceof GzipFile ? open.saidBytes() : undefined));
    return said === seen % 2 ** 32 ? named : undefined;
  }

  async #head(file: FoundFile): Promise<string | undefined> {
    const key = cacheKey(file);
    const complete = !file.live && this.#isStill(file);
    if (this.#heads.get(key) !== undefined) return this.#heads.get(key);
    const head = await this.#with(file, async (open) => (await readHead(open, { complete }))?.hash);
    this.#heads.set(key, head);
    return head;
  }

  #isStill(file: FoundFile): boolean {
    return this.#isStillSince(this.#since.get(cacheKey(file))!);
  }

  async #isDamaged(file: FoundFile): Promise<boolean> {
    const look = await this.#with(file, async (open) => (open instanceof GzipFile ? open.look() : undefined));
    if (look === undefined) return true;
    this.#looks.set(cacheKey(file), look);
    return look.damage !== undefined;
  }

  /** Whether a part that was looked into has none of the places by which it could be told from the segment. */
  #endsBefore(file: FoundFile, known: Known): boolean {
    const bytes = this.#looks.get(cacheKey(file))?.bytes;
    return bytes !== undefined && this.#anchors(known).every(({ offset }) => offset > bytes);
  }

  async #endOf(open: SegmentFile, file: FoundFile): Promise<End> {
    const key = cacheKey(file);
    const end = this.#ends.get(key) ?? (await endOf(open));
    if (file.gzip) this.#ends.set(key, end);
    return end;
  }

  /** The segment that the file is the content of, of those with its head; undefined where it cannot be read. */
  #pick(free: readonly Known[], file: FoundFile): Promise<Known | 'none' | undefined> {
    return this.#with(file, async (open) => {
      const likely = free.toSorted((a, b) => likelihood(b, file) - likelihood(a, file));
      let best: Known | 'none' = 'none';
      let most = -1;
      for (const known of likely) {
        const common = await commonLength(open, this.#anchors(known));
        if (common > most) [best, most] = [known, common];
      }
      return best;
    });
  }

  /**
   * Whether the file's content is that of a segment that stands, or of one that this pass found new. Undefined where
   * one of them could not be read just now: a copy taken for something new would be read twice.
   */
  async #isCopy(
    file: FoundFile,
    head: string,
    candidates: readonly Known[],
    pass: IdentificationPass,
  ): Promise<boolean | undefined> {
    return this.#with(file, async (copy) => {
      const end = await this.#endOf(copy, file);
      for (const { segment } of candidates) {
        if (segment?.file !== undefined && (await hasAtPlace(segment.file, end))) return true;
      }
      const others = [...candidates.map((known) => pass.placeOf(known)), ...pass.begun(head)];
      let isCertain = true;
      for (const original of others.filter((other) => other !== undefined)) {
        const same = await this.#with(original, (other) => hasAtPlace(other, end));
        if (same === true) return true;
        // One that lost its beginning since it was looked at is just being truncated, and is no measure.
        const begins = await this.#with(original, async (other) => (await readHead(other, { complete: true }))?.hash);
        isCertain &&= same !== undefined && begins === head;
      }
      return isCertain ? false : undefined;
    });
  }

  async #with<T>(file: FoundFile, use: (open: SegmentFile) => Promise<T>): Promise<T | undefined> {
    try {
      const open = await openSegmentFile(file, this.#looks.get(cacheKey(file)));
      try {
        return await use(open);
      } finally {
        await open.close();
      }
    } catch (error) {
      if (hasMoved(error)) throw error;
      this.#trouble(file, error);
      return undefined;
    }
  }
}

/** By its name. */
function isGzipOf(file: FoundFile, known: Known): boolean {
  return file.path === `${known.path}.gz`;
}

/** Which of several segments a file is, as far as that can be told without its content. */
function likelihood(known: Known, file: FoundFile): number {
  if (isGzipOf(file, known)) return 2;
  return known.row.finished ? 0 : 1;
}

/**
 * How much of what was read from a segment the file has: all (Infinity), what is left of a log that was cut back, or
 * -1 when only the first line is the same. A segment of which nothing was read has 0 in common with each.
 */
async function commonLength(file: SegmentFile, anchors: readonly Anchor[]): Promise<number> {
  const newest = anchors.at(-1);
  if (newest === undefined) return 0;
  if (await holds(file, newest)) return Number.POSITIVE_INFINITY;
  const { offset } = await findResumePoint(file, anchors);
  const head = await readHead(file, { complete: true });
  return head !== undefined && offset > head.length ? offset : -1;
}

function rank(file: FoundFile): number {
  return file.live ? 0 : file.gzip ? 2 : 1;
}

function cacheKey(file: FoundFile): string {
  return `${file.device}:${file.inode}:${file.size}:${file.changedNs}`;
}
