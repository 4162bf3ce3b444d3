import { isOpen, type OpenSegment } from './active-segments.ts';
import type { Feeding } from './feeding.ts';
import type { Stream } from './known-segments.ts';
import type { ReadTroubles } from './read-troubles.ts';
import type { Segment } from './segment.ts';
import type { SegmentFinisher } from './segment-finisher.ts';
import type { ReadOutcome, SegmentReader } from './segment-reader.ts';

interface StreamPollerDeps {
  readonly reader: SegmentReader;
  readonly feeding: Feeding;
  readonly finisher: SegmentFinisher;
  readonly troubles: ReadTroubles;
  /** The content before a segment's position is not what was read there. */
  readonly changed: (segment: OpenSegment) => Promise<void>;
}

/** Takes a stream's segments chunk by chunk, oldest first, and knows which of them have nothing more for now. */
export class StreamPoller {
  readonly #deps: StreamPollerDeps;
  /** Segments whose whole lines were all taken: not read again before something changes. */
  readonly #ended = new Set<Segment>();
  /** Of those: rotated ones that only the writer of the live file can bring to their end. */
  readonly #waiting = new Set<Segment>();
  #hints = 0;

  constructor(deps: StreamPollerDeps) {
    this.#deps = deps;
  }

  /** Something may have been written: look at the ends again. May come at any time, also in the middle of a step. */
  hint(): void {
    this.#hints += 1;
    this.forgetEnds();
  }

  forgetEnds(): void {
    this.#ended.clear();
    this.#waiting.clear();
  }

  /** Leaves the segment alone until something changes. */
  leave(segment: Segment): void {
    this.#ended.add(segment);
  }

  /** Whether all whole lines that the segment had at the last look were taken. */
  hasEnded(segment: Segment): boolean {
    return this.#ended.has(segment);
  }

  /** Whether nothing is left of it but what only its writer can complete, or what cannot be read. */
  isDone(segment: Segment): boolean {
    if (segment.finished || this.#deps.troubles.unreadable.has(segment.path)) return true;
    return this.#ended.has(segment) && (segment.live || this.#waiting.has(segment));
  }

  /** Takes one chunk; whether anything was taken. */
  async poll(stream: Stream): Promise<boolean> {
    const { feeding, changed } = this.#deps;
    for (const [index, segment] of stream.segments.entries()) {
      if (segment.finished || !isOpen(segment)) continue;
      if (!this.#ended.has(segment)) {
        feeding.begin(stream, segment);
        const outcome = await this.#step(segment);
        feeding.end(segment);
        if (outcome === 'changed') await changed(segment);
        if (outcome !== 'end') return true;
      }
      if (this.#goesOnIn(stream.segments[index + 1], segment)) return false;
    }
    return false;
  }

  async #step(segment: OpenSegment): Promise<ReadOutcome> {
    const { reader, finisher, troubles } = this.#deps;
    const hints = this.#hints;
    try {
      const outcome = await reader.step(segment);
      if (outcome !== 'end') return outcome;
      const atEnd = await finisher.atEnd(segment);
      if (atEnd === 'changed') return atEnd;
      // What was written after the look at the end would wait for the next sweep.
      if (segment.finished || hints !== this.#hints) return 'end';
      this.#ended.add(segment);
      if (atEnd !== 'end') this.#wait(atEnd.waiting);
      return 'end';
    } catch (error) {
      troubles.tellReadError(segment.path, error);
      this.#ended.add(segment);
      return 'end';
    }
  }

  #wait(segments: readonly Segment[]): void {
    for (const segment of segments) {
      this.#ended.add(segment);
      this.#waiting.add(segment);
    }
  }

  /** Whether the beginning of the next segment may be the end of this one's last line. */
  #goesOnIn(next: Segment | undefined, { finished, live, position, endAt, path }: Segment): boolean {
    const { reader, troubles } = this.#deps;
    if (!reader.framing.spansSegments || finished || live || next === undefined || next.position > 0) return false;
    return endAt > position && !troubles.unreadable.has(path);
  }
}
