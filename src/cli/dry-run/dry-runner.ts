import { type EventReader, EventRules } from '../../agent/event-rules.ts';
import { beginsAsObject, isBlank } from '../../agent/line-classifier.ts';
import type { Config, SourceConfig } from '../../config/types.ts';
import { AuditailError } from '../../errors.ts';
import { oversizeTag, unparsedTag } from '../../route/reserved-tags.ts';
import type { SampleEvent } from './bodies.ts';
import { ContainerLines, type ContainerLineTaker } from './container-lines.ts';
import { HttpTarget } from './http-target.ts';
import type { LinePlace } from './line-place.ts';
import { LineSplitter, type LineTaker } from './line-splitter.ts';
import { Problems } from './problems.ts';
import type { InputEvents } from './read-input.ts';
import { Samples, type SampleTarget } from './samples.ts';
import { Span } from './span.ts';
import { Tags } from './tags.ts';
import { TargetFiles } from './target-files.ts';

/** Tags, and files, that are counted one by one. */
export const MAX_NAMES = 10_000;

/** What one sink would get. */
export type Target = TargetFiles | HttpTarget;

/** What came out of one input. */
export interface InputCount {
  /** As it was named. */
  readonly name: string;
  /** Bytes as they were read, compressed or not. */
  readonly bytes: number;
  readonly lines: number;
  /** The last line had no newline: the agent would wait for the rest as long as the file can grow. */
  readonly unterminated: boolean;
  /** Why it was not read to its end. */
  readonly error: AuditailError | undefined;
}

/**
 * Sends lines the way that the agent sends them, through the same scanner, rewrite rules and router, and counts where they
 * would arrive. Memory is bounded whatever the lines hold.
 */
export class DryRunner implements ContainerLineTaker {
  readonly source: SourceConfig;
  readonly sinks: readonly Target[];
  readonly tags = new Tags({ left: MAX_NAMES });
  readonly problems = new Problems();
  readonly samples: Samples;
  readonly inputs: InputCount[] = [];
  readonly events = new Span();
  blankLines = 0;
  nullBytes = 0;
  /** Of a container's log: lines that are other text than events, and lines of the stream that is not read. */
  textLines = 0;
  otherStreamLines = 0;
  readonly #rules: EventRules<Target>;
  readonly #now: () => number;
  readonly #reader: EventReader;
  readonly #unparsedTag: string;
  readonly #oversizeTag: string;
  /** The input that is read. */
  #file = '';
  #splitter: LineSplitter | undefined;

  /** @param options.show lines of each tag to keep as samples */
  constructor(config: Config, source: SourceConfig, options: { show: number; now: () => number }) {
    const room = { left: MAX_NAMES };
    this.source = source;
    this.#now = options.now;
    this.sinks = config.sinks.map((sink, index) =>
      sink.type === 'http' ? new HttpTarget(sink, index) : new TargetFiles(sink, index, { room, now: options.now }),
    );
    this.samples = new Samples(options.show);
    this.#unparsedTag = unparsedTag(source.tag);
    this.#oversizeTag = oversizeTag(source.tag);
    this.#rules = new EventRules(config, this.sinks, options.now);
    this.#reader = this.#rules.newReader();
  }

  /** Takes one input. Where `read` rejects, what came before it counts and the input has the error. */
  async take(name: string, read: (events: InputEvents) => Promise<void>): Promise<void> {
    const { format, maxLineBytes } = this.source;
    const container = format === 'json' ? undefined : new ContainerLines(this.source, format, this);
    const lines: LineTaker = container ?? {
      line: (buffer, start, end, line, nulls) =>
        this.line(buffer, start, end, { line, of: (index) => ({ line, column: nulls + index + 1 }) }),
      longLine: (length, line, nulls) => this.longLine(length, line, nulls),
    };
    const splitter = new LineSplitter(maxLineBytes, lines);
    this.#splitter = splitter;
    this.#file = name;
    let bytes = 0;
    let error: AuditailError | undefined;
    try {
      await read({
        read: (count) => {
          bytes += count;
        },
        content: (chunk) => splitter.push(chunk),
      });
    } catch (cause) {
      if (!(cause instanceof AuditailError)) throw cause;
      error = cause;
    }
    const unterminated = splitter.end();
    container?.end();
    this.nullBytes += splitter.nullBytes;
    this.inputs.push({ name, bytes, lines: splitter.lines, unterminated, error });
  }

  line(buffer: Buffer, start: number, end: number, place: LinePlace): void {
    const { classifier } = this.#reader;
    const { line } = place;
    const kind = classifier.classify(buffer, start, end);
    if (kind === 'event') {
      this.#event(buffer, start, end, line);
      return;
    }
    if (kind === 'blank') {
      this.blankLines += 1;
      return;
    }
    const { errorColumn, errorReason: reason, eventStart } = classifier;
    if (kind === 'unparsable') {
      if (this.source.format !== 'json' && !beginsAsObject(buffer, start, end)) this.textLines += 1;
      else this.problems.add({ kind, file: this.#file, ...place.of(errorColumn - 1), reason });
      this.#send(this.#unparsedTag, { line, buffer, start, end, reason });
    } else {
      const event = place.of(eventStart - start);
      const found = `the event at column ${event.column}${event.line === line ? '' : ` of line ${event.line}`} is recovered`;
      const told = { file: this.#file, ...place.of(errorColumn - 1), reason: `${reason}; ${found}` };
      this.problems.add({ kind, ...told });
      this.#event(buffer, eventStart, end, line);
      this.#send(this.#unparsedTag, { line, buffer, start, end: eventStart, reason });
    }
  }

  badLine(
    buffer: Buffer,
    start: number,
    end: number,
    place: LinePlace,
    { index, reason }: { readonly index: number; readonly reason: string },
  ): void {
    if (isBlank(buffer, start, end)) {
      this.blankLines += 1;
      return;
    }
    this.problems.add({ kind: 'unparsable', file: this.#file, ...place.of(index), reason });
    this.#send(this.#unparsedTag, { line: place.line, buffer, start, end, reason });
  }

  otherLines(count: number): void {
    this.otherStreamLines += count;
  }

  longLine(length: number, line: number, nulls: number): void {
    const reason = `${length} bytes, more than max_line_bytes (${this.source.maxLineBytes})`;
    this.problems.add({ kind: 'oversize', file: this.#file, line, column: nulls + 1, reason });
    this.#send(this.#oversizeTag, { line, buffer: undefined, start: 0, end: length, reason });
  }

  #event(buffer: Buffer, start: number, end: number, line: number): void {
    const { scanner, eventTime } = this.#reader;
    const time = eventTime.of(buffer);
    this.events.add(end - start + 1, time);
    const tag = this.#rules.rewriter.rewrite(this.source.tag, scanner);
    this.#send(tag, { line, buffer, start, end, reason: undefined }, time);
  }

  /** @param time of an event, whose fields the scanner holds; what is no event goes by its arrival */
  #send(tag: string, piece: Piece, time?: number): void {
    const { buffer, start, end, reason } = piece;
    const bytes = end - start + 1;
    const matching = this.#rules.router.sinksFor(tag);
    const sinks = reason === undefined || buffer === undefined ? matching : this.#takersOfUnparsed(matching, bytes);
    const count = this.tags.add(tag, sinks, time, bytes, matching.length > 0);
    const targets: SampleTarget[] | undefined = count !== undefined && this.samples.wants(tag) ? [] : undefined;
    for (const sink of sinks) {
      const own = reason === undefined ? this.#reader.sinkTimes[sink.index]!.of(buffer!) : undefined;
      const { name } = sink.config;
      if (sink instanceof HttpTarget) {
        if (buffer === undefined) sink.stubs += 1;
        sink.add(buffer === undefined ? 0 : bytes, own);
        targets?.push({ sink: name, path: undefined, http: sink });
      } else {
        const path = sink.add(tag, own, bytes);
        targets?.push({ sink: name, path, http: undefined });
      }
    }
    if (targets !== undefined) {
      this.samples.add({ event: this.#sampleEvent(tag, piece, time), line: piece.line, targets });
    }
  }

  /** Lines that are no events are left out where `unparsed: skip` says so. */
  #takersOfUnparsed(sinks: readonly Target[], bytes: number): readonly Target[] {
    return sinks.filter((sink) => {
      if (!(sink instanceof HttpTarget && sink.skipsUnparsed)) return true;
      sink.skipped.add(bytes, undefined);
      return false;
    });
  }

  #sampleEvent(tag: string, { buffer, start, end, reason }: Piece, time: number | undefined): SampleEvent {
    return {
      tag,
      time: time ?? this.#now(),
      source: this.source.name,
      path: this.#file,
      offset: this.#splitter?.lineStart ?? 0,
      content: buffer === undefined ? undefined : Buffer.from(buffer.subarray(start, end)),
      length: end - start,
      reason,
    };
  }
}

/** A line, or what is left of a torn one. */
interface Piece {
  readonly line: number;
  /** It stands in [start, end); undefined for a line that is too long to be held. */
  readonly buffer: Buffer | undefined;
  readonly start: number;
  readonly end: number;
  /** Why it is no event; undefined for an event. */
  readonly reason: string | undefined;
}
