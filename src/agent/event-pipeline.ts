import type { SourceConfig } from '../config/types.ts';
import { oversizeTag, unparsedTag } from '../route/reserved-tags.ts';
import type { Rewriter } from '../route/rewrite.ts';
import type { Router } from '../route/router.ts';
import type { LineHandler, LongLineHandler } from '../source/line-handler.ts';
import type { Segment } from '../source/segment.ts';
import type { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { EventReader } from './event-rules.ts';
import type { FileSink } from './file-sink.ts';

export interface PipelineDeps {
  readonly reader: EventReader;
  readonly rewriter: Rewriter;
  readonly router: Router<FileSink>;
  readonly occurrences: AgentOccurrences;
  readonly sourceOccurrences: SourceOccurrences;
  /** Waits until there is room for more bytes in flight. */
  readonly room: () => Promise<void>;
  readonly now: () => number;
}

/** Tags that were warned of as unrouted; hostile ones cost no more memory than this. */
const MAX_WARNED_TAGS = 1024;

/** The way of a line: scan, tag, sinks. One for each source. */
export class EventPipeline implements LineHandler {
  /** Lines taken since the last {@link flushCounts}. */
  #counts = { events: 0, bytes: 0, blank: 0 };
  readonly #source: SourceConfig;
  readonly #unparsedTag: string;
  readonly #deps: PipelineDeps;
  readonly #warnedTags = new Set<string>();

  constructor(source: SourceConfig, deps: PipelineDeps) {
    this.#source = source;
    this.#unparsedTag = unparsedTag(source.tag);
    this.#deps = deps;
  }

  line(segment: Segment, buffer: Buffer, start: number, end: number, offset: number): void {
    this.#counts.bytes += end - start + 1;
    const { classifier } = this.#deps.reader;
    const kind = classifier.classify(buffer, start, end);
    if (kind === 'event') {
      this.#event(segment, buffer, start, end, offset);
    } else if (kind === 'blank') {
      this.#counts.blank += 1;
    } else if (kind === 'torn') {
      const { eventStart } = classifier;
      this.#deps.occurrences.lineTorn(this.#source.name, { path: segment.path, offset });
      this.#event(segment, buffer, eventStart, end, offset);
      this.#dispatch(segment, this.#unparsedTag, buffer, start, eventStart, offset);
    } else {
      const place = { path: segment.path, offset, column: classifier.errorColumn, reason: classifier.errorReason };
      this.#deps.occurrences.lineUnparsable(this.#source.name, place);
      this.#dispatch(segment, this.#unparsedTag, buffer, start, end, offset);
    }
  }

  async longLine(segment: Segment, offset: number, length: number): Promise<LongLineHandler> {
    this.#deps.occurrences.lineOversize(this.#source.name, { path: segment.path, offset, bytes: length });
    this.#counts.bytes += length + 1;
    const tag = oversizeTag(this.#source.tag);
    const sinks = this.#sinksFor(tag).filter((sink) => offset >= (segment.from[sink.index] ?? 0));
    const lines = await Promise.all(sinks.map((sink) => sink.archive.beginLong(tag, this.#deps.now())));
    return {
      piece: async (buffer, start, end) => {
        for (const line of lines) await line.write(buffer, start, end);
        await this.#deps.room();
      },
      end: async () => {
        for (const line of lines) line.end();
      },
    };
  }

  eventTime(buffer: Buffer, start: number, end: number): number | undefined {
    const { scanner, eventTime } = this.#deps.reader;
    scanner.scan(buffer, start, end);
    return eventTime.of(buffer);
  }

  nulls(segment: Segment, count: number): void {
    this.#deps.sourceOccurrences.nullsSkipped(segment.path, count);
  }

  /** Adds what was taken to the metrics; called once a step, so that an event costs no lookup. */
  flushCounts(): void {
    const { events, bytes, blank } = this.#counts;
    if (bytes > 0) this.#deps.occurrences.eventsTaken(this.#source.name, events, bytes);
    if (blank > 0) this.#deps.occurrences.blankLines(this.#source.name, blank);
    this.#counts = { events: 0, bytes: 0, blank: 0 };
  }

  /** Bytes of lines taken since the last {@link flushCounts}. */
  get bytesTaken(): number {
    return this.#counts.bytes;
  }

  #event(segment: Segment, buffer: Buffer, start: number, end: number, offset: number): void {
    const { scanner, eventTime } = this.#deps.reader;
    this.#counts.events += 1;
    const time = eventTime.of(buffer);
    if (time !== undefined) {
      segment.lastTime = time;
      segment.firstTime ??= time;
    }
    this.#dispatch(segment, this.#deps.rewriter.rewrite(this.#source.tag, scanner), buffer, start, end, offset, true);
  }

  /** Lines that are no events have no time of their own: they go by their arrival. */
  #dispatch(
    segment: Segment,
    tag: string,
    buffer: Buffer,
    start: number,
    end: number,
    offset: number,
    isEvent = false,
  ): void {
    const { sinkTimes } = this.#deps.reader;
    for (const sink of this.#sinksFor(tag)) {
      if (offset < segment.from[sink.index]!) continue;
      const time = isEvent ? sinkTimes[sink.index]!.of(buffer) : undefined;
      sink.archive.append(tag, time ?? this.#deps.now(), buffer, start, end);
    }
  }

  #sinksFor(tag: string): readonly FileSink[] {
    const sinks = this.#deps.router.sinksFor(tag);
    if (sinks.length === 0) {
      const isFirst = !this.#warnedTags.has(tag) && this.#warnedTags.size < MAX_WARNED_TAGS;
      if (isFirst) this.#warnedTags.add(tag);
      this.#deps.occurrences.unrouted(tag, isFirst);
    }
    return sinks;
  }
}
