import type { SpoolPlace } from '../../../checkpoint/spool-records.ts';
import type { HttpOccurrences } from '../../../telemetry/http-occurrences.ts';
import type { Segment } from './segment.ts';
import type { SpoolDirectory } from './spool-directory.ts';

/** The segments of a spool whose files exist, oldest first, and the end of their lives. */
export class SegmentList {
  readonly #directory: SpoolDirectory;
  readonly #occurrences: HttpOccurrences;
  #segments: readonly Segment[];
  /** Everything up to there was acknowledged or dropped, and is not in the list any more. */
  #passed: SpoolPlace | undefined;

  constructor(
    directory: SpoolDirectory,
    occurrences: HttpOccurrences,
    segments: readonly Segment[],
    passed: SpoolPlace | undefined,
  ) {
    this.#directory = directory;
    this.#occurrences = occurrences;
    this.#segments = segments;
    this.#passed = passed;
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  get newest(): Segment | undefined {
    return this.#segments.at(-1);
  }

  /** Bytes of their files. */
  get bytes(): number {
    return this.#segments.reduce((sum, { end }) => sum + end, 0);
  }

  /** Events that are not acknowledged. */
  get events(): number {
    return this.#segments.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0);
  }

  /** Up to where everything was acknowledged; undefined when nothing ever was. */
  get place(): SpoolPlace | undefined {
    let passed = this.#passed;
    for (const segment of this.#segments) {
      if (!segment.isDone) return { segment: segment.number, offset: segment.acknowledged };
      passed = { segment: segment.number, offset: segment.end };
    }
    return passed;
  }

  add(segment: Segment): void {
    this.#segments = [...this.#segments, segment];
  }

  /** Deletes the files that lie before a place that is durable by now. One that cannot be deleted is tried again next time. */
  async release(place: SpoolPlace): Promise<void> {
    for (const segment of this.#segments) {
      if (!segment.isDone || segment.number > place.segment) return;
      if (segment.number === place.segment && segment.end > place.offset) return;
      try {
        if (segment.damage === undefined) await this.#directory.remove(segment.path);
        else await this.#directory.putAside(segment.number);
      } catch (error) {
        this.#occurrences.spoolFailed(error);
        return;
      }
      this.#forget(segment);
    }
  }

  /** Deletes the oldest file, whatever it holds. False when there is none that is not written to any more. */
  async dropOldest(): Promise<boolean> {
    const oldest = this.#segments[0];
    if (oldest?.isSealed !== true) return false;
    await this.#directory.remove(oldest.path);
    // Told at the very moment at which it is forgotten: what is acknowledged until here is not lost.
    if (oldest.unacknowledged > 0) this.#occurrences.spoolDropped(oldest.unacknowledged, oldest.end);
    this.#forget(oldest);
    return true;
  }

  #forget(segment: Segment): void {
    // Released and dropped at the same time.
    if (segment.isGone) return;
    segment.isGone = true;
    this.#segments = this.#segments.filter((other) => other !== segment);
    this.#passed = { segment: segment.number, offset: segment.end };
  }
}
