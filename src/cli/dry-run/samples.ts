/** One line as its sinks would get it. */
export interface Sample {
  readonly tag: string;
  /** The input, as it was named, and the line in it, from 1. */
  readonly file: string;
  readonly line: number;
  readonly targets: readonly SampleTarget[];
  /** The bytes that would be written, without the newline; undefined for an oversize line, whose bytes are not held. */
  readonly content: Buffer | undefined;
}

export interface SampleTarget {
  readonly sink: string;
  readonly path: string;
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
    const length = (sample.content?.length ?? 0) + SAMPLE_BYTES;
    if (this.#bytes + length > MAX_BYTES) {
      this.omitted += 1;
      return;
    }
    this.#bytes += length;
    const kept = this.byTag.get(sample.tag);
    if (kept === undefined) this.byTag.set(sample.tag, [sample]);
    else kept.push(sample);
  }
}
