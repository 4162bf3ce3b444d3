import type { Source } from '../source/source.ts';

/**
 * Tells when the replay after a start has passed: everything that stood in the logs at the start is durable again, so
 * that what was cut off the archive is no longer needed.
 */
export class ReplayWatch {
  readonly #sources: readonly Source[];
  readonly #targets: Map<number, number>;

  constructor(sources: readonly Source[]) {
    this.#sources = sources;
    this.#targets = new Map(sources.flatMap((source) => source.segments().map(({ id, sizeSeen }) => [id, sizeSeen])));
  }

  /** Whether the replay has passed. An unfinished last line is not waited for. */
  get hasPassed(): boolean {
    for (const source of this.#sources) {
      if (source.isUndecided) return false;
      for (const segment of source.segments()) {
        const isThere = segment.position >= (this.#targets.get(segment.id) ?? 0) || source.hasEnded(segment);
        if (segment.uncommitted || !isThere) return false;
      }
    }
    return true;
  }

  /** Whether anything vanished unread meanwhile: then the cut-off tails may be all that is left of it. */
  get hadGaps(): boolean {
    return this.#sources.some((source) => source.gapsTold > 0);
  }
}
