import type { SampleEvent } from './bodies.ts';
import type { HttpTarget } from './http-target.ts';

/** One line as its sinks would get it. */
export interface Sample {
  /** Its `path` is the input, as it was named; its `content` what would be written to files. */
  readonly event: SampleEvent;
  /** The line in the input, from 1. */
  readonly line: number;
  readonly targets: readonly SampleTarget[];
}

export interface SampleTarget {
  readonly sink: string;
  /** The file that it would go to; undefined for an HTTP sink. */
  readonly path: string | undefined;
  readonly http: HttpTarget | undefined;
}

/** Memory for lines that are kept to be shown, and about what one takes besides its bytes. */
const MAX_BYTES = 64 * 1024 * 1024;
const SAMPLE_BYTES = 512;

/** The first lines of each tag, kept until the end. */
export class Samples {
  readonly byTag = new Map<string, Sample[]>();
  /** Lines that were to be shown and are not, because they would not fit into memory. */
  omitted = 0;
  readonly #perTag: number;
  #bytes = 0;

  constructor(perTag: number) {
    this.#perTag = perTag;
  }

  wants(tag: string): boolean {
    return this.#perTag > 0 && (this.byTag.get(tag)?.length ?? 0) < this.#perTag;
  }

  add(sample: Sample): void {
    const { tag, content } = sample.event;
    const length = (content?.length ?? 0) + SAMPLE_BYTES;
    if (this.#bytes + length > MAX_BYTES) {
      this.omitted += 1;
      return;
    }
    this.#bytes += length;
    const kept = this.byTag.get(tag);
    if (kept === undefined) this.byTag.set(tag, [sample]);
    else kept.push(sample);
  }
}
