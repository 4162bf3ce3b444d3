import { isOpen, type OpenSegment } from './active-segments.ts';
import type { Stream } from './known-segments.ts';
import { ANCHOR_BYTES, Segment } from './segment.ts';
import { readFully, type SegmentFile } from './segment-file.ts';
import type { SegmentReader } from './segment-reader.ts';
import type { SinkPace } from './sink-place.ts';

/**
 * What a step of a sink that is behind came to. `lines`: it was handed more. `waiting`: nothing can be read now, and the
 * shared reader has to find out why. `lost`: the lines that it was still to get are not in the file any more.
 */
export type CatchUpOutcome = 'lines' | 'waiting' | 'lost';

/** See {@link RotationJoin.restOf}. */
export type RestOf = (id: number, tail: Buffer) => Promise<Buffer | 'missing' | undefined>;

interface Lane {
  /** The segment, as the shared reader has it. */
  readonly of: OpenSegment;
  /** The same, at the place of this sink. */
  readonly own: OpenSegment;
}

/**
 * Reads once more, for one sink at its own pace, what the shared reader has passed while the sink had no room: from the
 * sink's place up to that of the shared reader, out of the very file that is held open for it.
 */
export class CatchUp {
  readonly #index: number;
  readonly #pace: SinkPace;
  readonly #reader: SegmentReader;
  readonly #restOf: RestOf;
  /** By stream: one that waits for its turn must not lose how far it searched a long line, or inflated a part. */
  readonly #lanes = new Map<number, Lane>();

  /** @param index the sink's place in `Segment.from`. */
  constructor(index: number, pace: SinkPace, deps: { newReader: () => SegmentReader; restOf: RestOf }) {
    this.#index = index;
    this.#pace = pace;
    this.#reader = deps.newReader();
    this.#restOf = deps.restOf;
  }

  /** The oldest segment that the sink has not been handed as far as the others. */
  behindIn(stream: Stream): OpenSegment | undefined {
    return stream.segments.find((one): one is OpenSegment => isOpen(one) && this.#placeIn(one) < one.position);
  }

  /** Hands the sink one chunk of the segment. */
  async step(of: OpenSegment): Promise<CatchUpOutcome> {
    const own = await this.#openAt(of);
    if (own === undefined) return this.#changed(of);
    const outcome = await this.#reader.step(own);
    if (outcome === 'changed') return this.#changed(of);
    if (outcome === 'end') {
      // A line without newline was taken where its segment ended. Anywhere else it is what is left of one.
      if (own.endAt !== of.position || !(await this.#finish(own))) return this.#changed(of);
    }
    this.#pace.ledger.handed(of.id, own.position);
    if (own.position >= of.position) await this.leave(of.stream);
    return 'lines';
  }

  /** Lets go of what is open in a stream. */
  async leave(stream: number): Promise<void> {
    const lane = this.#lanes.get(stream);
    this.#lanes.delete(stream);
    await lane?.own.file.close();
  }

  async close(): Promise<void> {
    for (const stream of this.#lanes.keys()) await this.leave(stream);
  }

  /** With what was taken with the segment's last line, and stands in the next ones. */
  async #finish(own: OpenSegment): Promise<boolean> {
    const tail = await this.#reader.tailOf(own);
    const rest = Buffer.isBuffer(tail) ? await this.#restOf(own.id, tail) : tail;
    if (rest === 'changed' || rest === 'missing') return false;
    return (await this.#reader.finish(own, rest)) !== 'changed';
  }

  #placeIn(segment: Segment): number {
    return Math.max(this.#pace.ledger.handedTo(segment.id) ?? 0, segment.headBytes);
  }

  async #openAt(of: OpenSegment): Promise<OpenSegment | undefined> {
    const place = this.#placeIn(of);
    const lane = this.#lanes.get(of.stream);
    if (lane?.of === of && lane.own.position === place) return lane.own;
    await this.leave(of.stream);
    const { id, stream, head, device, inode, path, firstTime, lastTime } = of;
    const begun = { sizeSeen: place, mayGrow: false, finished: false, headOf: undefined, headBytes: 0 };
    const row = { id, stream, head, device, inode, path, firstTime, lastTime, ...begun };
    const own = new Segment(row, { live: false, sinks: [], isRepeat: true });
    own.file = upTo(of.file.view(), () => of.position);
    own.from.push(...of.from.map((_, index) => (index === this.#index ? place : Number.POSITIVE_INFINITY)));
    this.#lanes.set(of.stream, { of, own: own as OpenSegment });
    const before = Buffer.alloc(Math.min(ANCHOR_BYTES, place));
    const length = await readFully(own.file, place - before.length, before, before.length);
    // What stands before the place now is what stood there when it was read, if the file is still as it was.
    if (length < before.length || !(await this.#reader.isIntact(of))) return undefined;
    own.advance(place, before);
    return own as OpenSegment;
  }

  /** The shared reader goes to the bottom of a change in a file that it reads; in one that it has finished it would not. */
  async #changed(of: OpenSegment): Promise<CatchUpOutcome> {
    await this.leave(of.stream);
    return of.finished || (await this.#reader.isIntact(of)) ? 'lost' : 'waiting';
  }
}

/** The file as it was when the shared reader was at `limit`. */
function upTo(file: SegmentFile, limit: () => number): SegmentFile {
  return {
    path: file.path,
    gzip: file.gzip,
    device: file.device,
    inode: file.inode,
    stat: async () => ({ ...(await file.stat()), size: limit() }),
    read: (offset, buffer, start, length) => {
      const most = Math.min(length, limit() - offset);
      return most <= 0 ? Promise.resolve(0) : file.read(offset, buffer, start, most);
    },
    ...(file.again && { again: file.again.bind(file) }),
    whole: file,
    view: () => upTo(file.view(), limit),
    close: () => file.close(),
  };
}
