import type { ContainerUnit, UnitTaker } from '../event/container-unit.ts';
import type { LineHandler } from './line-handler.ts';
import type { Segment } from './segment.ts';

/** Hands the lines of a container's log over, and counts what is none of them. */
export class UnitFeed implements UnitTaker {
  readonly #handler: LineHandler;
  #segment!: Segment;
  #offset = 0;
  #otherLines = 0;
  /** Of the log, without what was handed over. */
  #bytes = 0;

  constructor(handler: LineHandler) {
    this.#handler = handler;
  }

  begin(segment: Segment): void {
    this.#segment = segment;
    this.#otherLines = 0;
    this.#bytes = 0;
  }

  /**
   * Hands over a unit of `bytes` bytes. All its lines have its offset: they are taken together or not at all, and a sink
   * that goes on with one of them goes on with the unit.
   */
  take(unit: ContainerUnit, buffer: Buffer, { offset, bytes }: { offset: number; bytes: number }): void {
    this.#offset = offset;
    this.#bytes += bytes;
    this.#otherLines += unit.otherLines;
    unit.take(buffer, this);
  }

  nulls(count: number): void {
    if (count > 0) this.#handler.nulls(this.#segment, count);
  }

  line(buffer: Buffer, start: number, end: number): void {
    this.#bytes -= end - start + 1;
    this.#handler.line(this.#segment, buffer, start, end, this.#offset);
  }

  badLine(buffer: Buffer, start: number, end: number, errorOffset: number, reason: string): void {
    this.#bytes -= end - start + 1;
    const fault = { column: errorOffset - start + 1, reason };
    this.#handler.badLine(this.#segment, buffer, start, end, this.#offset, fault);
  }

  /** Tells of what was passed over since {@link begin}. */
  end(): void {
    const bytes = Math.max(0, this.#bytes);
    if (bytes + this.#otherLines > 0) this.#handler.passed(this.#segment, this.#otherLines, bytes);
  }
}
