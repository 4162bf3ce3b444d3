import { isOpen, type OpenSegment } from './active-segments.ts';
import { PieceDigest } from './content-digest.ts';
import { damageOf } from './gzip-file.ts';
import type { Known, KnownSegments, Stream } from './known-segments.ts';
import type { Segment } from './segment.ts';
import { readFully } from './segment-file.ts';
import { CHUNK_BYTES, type SegmentReader } from './segment-reader.ts';

/** The beginning of a later segment. */
interface SegmentHead {
  readonly of: OpenSegment;
  readonly content: Buffer;
}

/**
 * How the last line of a segment goes on. `joined`: `tail` is what is left of the segment and what belongs to it in
 * later ones. `waiting`: it may still come; `behind` are the segments that were read for it, to their ends where only
 * their writer can bring it. `broken off`: nowhere.
 */
export type Continuation =
  | { readonly kind: 'joined'; readonly tail: Buffer; readonly heads: readonly SegmentHead[] }
  | { readonly kind: 'waiting'; readonly forWriter: boolean; readonly behind: readonly Segment[] }
  | { readonly kind: 'broken off' };

const BROKEN_OFF: Continuation = { kind: 'broken off' };

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

interface RotationJoinDeps {
  readonly known: KnownSegments;
  readonly reader: SegmentReader;
  readonly maxLineBytes: number;
  /** Whether the segment's file was left alone for `rotate_wait`, and ends at `size`. */
  readonly isStill: (segment: OpenSegment, size: number) => Promise<boolean>;
  readonly elapsed: () => number;
  readonly rotateWaitMs: number;
}

/**
 * A container's runtime writes a long line in parts, and a rotation may come between two of them. The parts in the next
 * segment belong to the one in which the line begins: they are taken with its end, and reading of the next one begins
 * behind them. Both are stored with one commit ({@link SegmentRow.headOf}).
 */
export class RotationJoin {
  readonly #deps: RotationJoinDeps;
  /** Since when a segment's end waits for a next segment to be there. */
  readonly #waitingSince = new WeakMap<Segment, number>();

  constructor(deps: RotationJoinDeps) {
    this.#deps = deps;
  }

  /** How a segment goes on that will not grow any more, and ends in `tail`. */
  async continuationOf(stream: Stream, segment: OpenSegment, tail: Buffer): Promise<Continuation> {
    const rest = await this.restOf(segment.id, tail);
    if (rest === 'missing') return BROKEN_OFF;
    if (rest !== undefined) return { kind: 'joined', tail: rest, heads: [] };
    const heads: SegmentHead[] = [];
    let content = tail;
    for (const next of stream.segments.slice(stream.segments.indexOf(segment) + 1)) {
      if (!isOpen(next) || next.position > 0) return BROKEN_OFF;
      const between = this.#standsBetween(segment, next);
      // It waits for its turn to be opened.
      if (between === 'unread' && this.#isSoon(segment)) return { kind: 'waiting', forWriter: false, behind: [] };
      if (between !== undefined) return BROKEN_OFF;
      const head = await this.#headOf(next, content);
      if (head === 'too long') return BROKEN_OFF;
      if (head !== 'changed') {
        heads.push({ of: next, content: head.content });
        content = joined(content, head.content);
        if (head.isEnd) return { kind: 'joined', tail: content, heads };
        if ((await damageOf(next.file)) !== undefined) return BROKEN_OFF;
      }
      // All of it belongs to the line, so far. Of a file that does not grow any more, the rest is in the next one.
      if (head === 'changed' || next.live || !(await this.#deps.isStill(next, head.content.length)))
        return { kind: 'waiting', forWriter: head !== 'changed' && next.live, behind: heads.map(({ of }) => of) };
    }
    if (stream.awaitsLive) return { kind: 'waiting', forWriter: true, behind: heads.map(({ of }) => of) };
    return this.#isSoon(segment) ? { kind: 'waiting', forWriter: false, behind: [] } : BROKEN_OFF;
  }

  /** The segment was taken with its continuation: reading of the later ones begins behind their heads. */
  apply(segment: Segment, continuation: Continuation): void {
    if (continuation.kind !== 'joined') return;
    for (const { of, content } of continuation.heads) {
      of.headOf = segment.id;
      of.headBytes = content.length;
      if (of.isFresh) of.digests.addDigest(content.length, new PieceDigest().add(content).end());
      of.advance(content.length, content);
    }
  }

  /**
   * The segment's tail with the heads that were joined to it once. Undefined: none were. `missing`: one of them cannot
   * be read any more.
   */
  async restOf(id: number, tail: Buffer): Promise<Buffer | 'missing' | undefined> {
    let content = tail;
    for (const known of this.#headsOf(id)) {
      const { segment } = known;
      if (segment === undefined || !isOpen(segment)) return 'missing';
      const head = Buffer.alloc(segment.headBytes);
      const view = segment.file.view();
      try {
        if ((await readFully(view, 0, head, head.length)) < head.length) return 'missing';
      } finally {
        await view.close();
      }
      content = joined(content, head);
    }
    return content === tail ? undefined : content;
  }

  #headsOf(id: number): Known[] {
    const heads = [...this.#deps.known].filter(({ segment, row }) => (segment ?? row).headOf === id);
    return heads.sort((a, b) => (a.row.firstTime ?? 0) - (b.row.firstTime ?? 0) || a.id - b.id);
  }

  /** What of `next` belongs behind `before`: all of it, where the line does not end in it. */
  async #headOf(
    next: OpenSegment,
    before: Buffer,
  ): Promise<{ content: Buffer; isEnd: boolean } | 'changed' | 'too long'> {
    const { reader, maxLineBytes } = this.#deps;
    // A unit may have so many bytes and a newline.
    const room = maxLineBytes + 1 - before.length;
    for (let want = Math.min(CHUNK_BYTES, room); want > 0; want = Math.min(2 * want, room)) {
      const content = await reader.peek(next, want);
      if (content === undefined) return 'changed';
      const end = reader.framing.closesAt(joined(before, content));
      if (end !== undefined) return { content: content.subarray(0, end - joined(before, EMPTY).length), isEnd: true };
      if (content.length < want) return { content, isEnd: false };
      if (want === room) break;
    }
    return 'too long';
  }

  /** Whether another segment is known to come between the two: one that is read already. */
  #standsBetween(segment: Segment, next: Segment): 'read' | 'unread' | undefined {
    const from = segment.firstTime ?? 0;
    const to = next.firstTime ?? 0;
    for (const { row, stream, segment: open } of this.#deps.known) {
      if (stream.id !== segment.stream || open !== undefined || row.firstTime === undefined) continue;
      if (row.firstTime > from && row.firstTime < to) return row.finished ? 'read' : 'unread';
    }
    return undefined;
  }

  /** A rotation makes the next file a moment later. */
  #isSoon(segment: Segment): boolean {
    const { elapsed, rotateWaitMs } = this.#deps;
    const since = this.#waitingSince.get(segment) ?? elapsed();
    this.#waitingSince.set(segment, since);
    return elapsed() - since < rotateWaitMs;
  }
}

/** What stands in two files, one after the other; a newline that the first one lacks at its end is put there. */
function joined(before: Buffer, next: Buffer): Buffer {
  return Buffer.concat(before.at(-1) === NEWLINE ? [before, next] : [before, Buffer.from([NEWLINE]), next]);
}
