import type { SourceConfig } from '../../config/types.ts';
import { type ContainerFormat, containerLine, streamBits } from '../../event/container-format.ts';
import type { ContainerLine } from '../../event/container-line.ts';
import { ContainerUnit, openBehind, type UnitTaker } from '../../event/container-unit.ts';
import type { LinePlace } from './line-place.ts';
import type { LineTaker } from './line-splitter.ts';

const NEWLINE = 0x0a;
const MIN_KEPT_BYTES = 64 * 1024;

export interface ContainerLineTaker {
  /** Takes a line that the container wrote. */
  line(buffer: Buffer, start: number, end: number, place: LinePlace): void;
  /** Takes a line of the log that is none of its format, from the byte at `fault.index` of it on. */
  badLine(
    buffer: Buffer,
    start: number,
    end: number,
    place: LinePlace,
    fault: { readonly index: number; readonly reason: string },
  ): void;
  /** Takes note of lines of the log that are too long together; their content was dropped. */
  longLine(length: number, line: number, nulls: number): void;
  /** Takes note of lines of streams that are not read. */
  otherLines(count: number): void;
}

/**
 * Makes the lines of a container out of the lines of its log, by the agent's rules. Of lines that belong together it
 * needs memory for `max_line_bytes` at most.
 */
export class ContainerLines implements LineTaker {
  readonly #taker: ContainerLineTaker;
  readonly #maxLineBytes: number;
  readonly #line: ContainerLine;
  readonly #wanted: number;
  readonly #unit: ContainerUnit;
  /** The lines of the unit, with their newlines, in [0, #length) of #kept; of one that is too long they are only counted. */
  #kept: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Streams in the middle of a line, as bits. */
  #open = 0;
  /** Of the unit: the number of its first line, and of each where it begins, and the NUL bytes before it. */
  #first = 0;
  #starts: number[] = [];
  #nulls: number[] = [];

  constructor(source: SourceConfig, format: ContainerFormat, taker: ContainerLineTaker) {
    this.#taker = taker;
    this.#maxLineBytes = source.maxLineBytes;
    this.#line = containerLine(format);
    this.#wanted = streamBits(source.stream ?? 'stdout');
    this.#unit = new ContainerUnit(containerLine(format), this.#wanted);
  }

  /** Takes a line of the log. */
  line(buffer: Buffer, start: number, end: number, line: number, nulls: number): void {
    this.#begin(line);
    this.#open = openBehind(this.#line, this.#wanted, this.#open, { buffer, start, end });
    if (this.#open === 0 && this.#length === 0) {
      this.#note(start, nulls);
      this.#unit.add(buffer, start, end);
      this.#take(buffer);
      return;
    }
    if (this.#length <= this.#maxLineBytes) this.#note(this.#length, nulls);
    this.#keep(buffer, start, end);
    if (this.#open === 0) this.end();
  }

  /** Takes note of a line of the log that is too long by itself: it ends the unit that it is in. */
  longLine(length: number, line: number, nulls: number): void {
    this.#begin(line);
    this.#taker.longLine(this.#length + length, this.#first, this.#nulls[0] ?? nulls);
    this.#forget();
  }

  /** Takes what is left, though it is not whole. */
  end(): void {
    const length = this.#length - 1;
    if (length > this.#maxLineBytes) this.#taker.longLine(length, this.#first, this.#nulls[0]!);
    else if (length >= 0) {
      for (const [index, start] of this.#starts.entries())
        this.#unit.add(this.#kept, start, (this.#starts[index + 1] ?? this.#length) - 1);
      this.#take(this.#kept);
    }
    this.#forget();
  }

  #note(start: number, nulls: number): void {
    this.#starts.push(start);
    this.#nulls.push(nulls);
  }

  #begin(line: number): void {
    if (this.#nulls.length === 0) this.#first = line;
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    const length = this.#length + end - start + 1;
    if (length <= this.#maxLineBytes + 1) {
      if (length > this.#kept.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#kept.length, MIN_KEPT_BYTES));
        this.#kept.copy(grown, 0, 0, this.#length);
        this.#kept = grown;
      }
      buffer.copy(this.#kept, this.#length, start, end);
      this.#kept[length - 1] = NEWLINE;
    }
    this.#length = length;
  }

  #take(buffer: Buffer): void {
    if (this.#unit.otherLines > 0) this.#taker.otherLines(this.#unit.otherLines);
    const unit = this.#unit;
    const given: UnitTaker = {
      line: (bytes, start, end) =>
        this.#taker.line(
          bytes,
          start,
          end,
          this.#placeFrom((index) => unit.placeOf(index)),
        ),
      badLine: (bytes, start, end, errorOffset, reason) => {
        const place = this.#placeFrom((index) => start + index);
        this.#taker.badLine(bytes, start, end, place, { index: errorOffset - start, reason });
      },
    };
    unit.take(buffer, given);
    this.#forget();
  }

  /** @param inBuffer where in the unit's buffer the byte at an index stands. */
  #placeFrom(inBuffer: (index: number) => number): LinePlace {
    const of = (index: number) => {
      const at = inBuffer(index);
      const nth = this.#starts.findLastIndex((start) => start <= at);
      return { line: this.#first + nth, column: this.#nulls[nth]! + at - this.#starts[nth]! + 1 };
    };
    return {
      get line() {
        return of(0).line;
      },
      of,
    };
  }

  #forget(): void {
    this.#length = 0;
    this.#open = 0;
    this.#starts = [];
    this.#nulls = [];
  }
}
