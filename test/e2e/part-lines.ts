import { AuditEvents } from '../../bench/audit-events.ts';

/**
 * What one part of a log holds: `few` lines; `long-first`, whose first line is longer than the 1024 bytes that identity
 * looks at; or `large`, about two megabytes, which are read in several chunks.
 */
export const SHAPES = ['few', 'long-first', 'large'] as const;
export type Shape = (typeof SHAPES)[number];

const FEW = 5;
const LARGE = 1200;

/** More than any test takes; they are made only when they are asked for. */
const PLENTY = 10_000_000;

/** A stream of unique audit events, taken part by part. */
export class PartLines {
  readonly #shape: Shape;
  readonly #events: Iterator<string>;
  #long = 0;

  constructor(shape: Shape, seed: number) {
    this.#shape = shape;
    // One event in two seconds: hours change within a large part, and parts share hours.
    this.#events = new AuditEvents({ count: PLENTY, seed, spanMs: PLENTY * 2000, namespaces: 8 })[Symbol.iterator]();
  }

  /** The lines of a whole part. */
  part(): string[] {
    const count = this.#shape === 'large' ? LARGE : FEW;
    const lines = this.take(count);
    return this.#shape === 'long-first' ? [this.#longLine(), ...lines] : lines;
  }

  take(count: number): string[] {
    return Array.from({ length: count }, () => this.#events.next().value as string);
  }

  #longLine(): string {
    this.#long += 1;
    return `{"kind":"Event","auditID":"${this.#long}","filler":"${'x'.repeat(3000)}","objectRef":{"namespace":"long"}}`;
  }
}
