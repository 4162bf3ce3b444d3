import type { SourceConfig } from '../config/types.ts';
import type { ChunkMemory } from '../event/chunk-memory.ts';
import { oversizeTag, unparsedTag } from '../route/reserved-tags.ts';
import type { Rewriter } from '../route/rewrite.ts';
import type { Router } from '../route/router.ts';
import type { LineOrigin } from '../sink/http/line-origin.ts';
import type { EventTimes, LineHandler, LongLineHandler } from '../source/line-handler.ts';
import type { Segment } from '../source/segment.ts';
import type { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { EventReader } from './event-rules.ts';
import type { EventSink } from './event-sink.ts';
import { beginsAsObject, isBlank, type LineKind } from './line-classifier.ts';
import { lineTime } from './line-time.ts';

export interface PipelineDeps {
  readonly reader: EventReader;
  readonly rewriter: Rewriter;
  readonly router: Router<EventSink>;
  readonly occurrences: AgentOccurrences;
  readonly sourceOccurrences: SourceOccurrences;
  /** Waits until there is room for more bytes in flight. */
  readonly room: () => Promise<void>;
  readonly now: () => number;
}

/** Tags that were warned of as unrouted; hostile ones cost no more memory than this. */
const MAX_WARNED_TAGS = 1024;

/** Files of which it was told that they hold other text than events; told once more when so many others came between. */
const MAX_TOLD_FILES = 1024;

interface Fault {
  readonly column: number;
  readonly reason: string;
}

/** The way of a line: scan, tag, sinks. One for each source. */
export class EventPipeline implements LineHandler {
  readonly memory: ChunkMemory;
  /** Lines taken since the last {@link flushCounts}. */
  #counts = noCounts();
  readonly #source: SourceConfig;
  readonly #unparsedTag: string;
  readonly #deps: PipelineDeps;
  readonly #warnedTags = new Set<string>();
  readonly #lineTime: EventTimes['eventTime'];
  /** Ids of segments. */
  readonly #toldText = new Set<number>();
  /** Of the line at hand; one object for all lines. */
  readonly #origin: { -readonly [K in keyof LineOrigin]: LineOrigin[K] };

  constructor(source: SourceConfig, deps: PipelineDeps) {
    this.#source = source;
    this.#unparsedTag = unparsedTag(source.tag);
    this.#deps = deps;
    this.memory = deps.reader.scanner.chunk;
    this.#lineTime = lineTime(source.format, deps.reader);
    this.#origin = { source: source.name, segment: 0, path: '', offset: 0, unparsed: undefined };
  }

  line(segment: Segment, buffer: Buffer, start: number, end: number, offset: number): void {
    this.#begin(segment, offset);
    const { classifier } = this.#deps.reader;
    const kind = classifier.classify(buffer, start, end);
    const isText = kind === 'unparsable' && this.#source.format !== 'json' && !beginsAsObject(buffer, start, end);
    // Lines that are read once more, for a sink that is behind, were counted and told.
    if (!segment.isRepeat && isText) this.#tellText(segment, end - start + 1, offset);
    else if (!segment.isRepeat) this.#tell(kind, segment, end - start + 1, offset);
    if (kind === 'event') {
      this.#event(segment, buffer, start, end);
    } else if (kind === 'torn') {
      const { eventStart, errorReason } = classifier;
      this.#event(segment, buffer, eventStart, end);
      this.#unparsable(segment, buffer, start, eventStart, errorReason);
    } else if (kind === 'unparsable') {
      this.#unparsable(segment, buffer, start, end, classifier.errorReason);
    }
  }

  badLine(segment: Segment, buffer: Buffer, start: number, end: number, offset: number, fault: Fault): void {
    this.#begin(segment, offset);
    const kind = isBlank(buffer, start, end) ? 'blank' : 'unparsable';
    if (!segment.isRepeat) this.#tell(kind, segment, end - start + 1, offset, fault);
    if (kind === 'unparsable') this.#unparsable(segment, buffer, start, end, fault.reason);
  }

  passed(segment: Segment, otherLines: number, bytes: number): void {
    if (segment.isRepeat) return;
    this.#counts.bytes += bytes;
    this.#counts.other += otherLines;
  }

  async longLine(segment: Segment, offset: number, length: number): Promise<LongLineHandler> {
    if (!segment.isRepeat) {
      this.#deps.occurrences.lineOversize(this.#source.name, { path: segment.path, offset, bytes: length });
      this.#counts.bytes += length + 1;
    }
    this.#begin(segment, offset);
    const tag = oversizeTag(this.#source.tag);
    const sinks = this.#sinksFor(tag, segment).filter((sink) => offset >= (segment.from[sink.index] ?? 0));
    const now = this.#deps.now();
    const lines = await Promise.all(sinks.map((sink) => sink.target.beginLong(tag, now, this.#origin, length)));
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
    return this.#lineTime(buffer, start, end);
  }

  nulls(segment: Segment, count: number): void {
    if (!segment.isRepeat) this.#deps.sourceOccurrences.nullsSkipped(segment.path, count);
  }

  /** Adds what was taken to the metrics; called once a step, so that an event costs no lookup. */
  flushCounts(): void {
    const { events, bytes, blank, other, text } = this.#counts;
    if (bytes > 0) this.#deps.occurrences.eventsTaken(this.#source.name, events, bytes);
    if (blank > 0) this.#deps.occurrences.blankLines(this.#source.name, blank);
    if (other > 0) this.#deps.occurrences.otherStreamLines(this.#source.name, other);
    if (text > 0) this.#deps.occurrences.textLines(this.#source.name, text);
    this.#counts = noCounts();
  }

  /** Bytes of lines taken since the last {@link flushCounts}. */
  get bytesTaken(): number {
    return this.#counts.bytes;
  }

  #begin(segment: Segment, offset: number): void {
    const origin = this.#origin;
    origin.segment = segment.id;
    origin.path = segment.path;
    origin.offset = offset;
    origin.unparsed = undefined;
  }

  /** Counts a line, and tells of one that is not as it should be. */
  #tell(kind: LineKind, { path }: Segment, bytes: number, offset: number, fault?: Fault): void {
    const { occurrences, reader } = this.#deps;
    this.#counts.bytes += bytes;
    if (kind === 'event' || kind === 'torn') this.#counts.events += 1;
    if (kind === 'blank') this.#counts.blank += 1;
    if (kind === 'torn') occurrences.lineTorn(this.#source.name, { path, offset });
    if (kind !== 'unparsable') return;
    const { errorColumn, errorReason } = reader.classifier;
    const { column, reason } = fault ?? { column: errorColumn, reason: errorReason };
    occurrences.lineUnparsable(this.#source.name, { path, offset, column, reason });
  }

  /** What else the container writes is nothing to be warned of. */
  #tellText({ id, path }: Segment, bytes: number, offset: number): void {
    this.#counts.bytes += bytes;
    this.#counts.text += 1;
    if (this.#toldText.has(id)) return;
    this.#toldText.add(id);
    if (this.#toldText.size > MAX_TOLD_FILES) this.#toldText.delete(this.#toldText.values().next().value!);
    this.#deps.occurrences.textFound(this.#source.name, { path, offset });
  }

  #event(segment: Segment, buffer: Buffer, start: number, end: number): void {
    const { scanner, eventTime, sinkTimes } = this.#deps.reader;
    const time = eventTime.of(buffer);
    if (time !== undefined) {
      segment.lastTime = time;
      segment.firstTime ??= time;
    }
    const tag = this.#deps.rewriter.rewrite(this.#source.tag, scanner);
    const sinks = this.#sinksFor(tag, segment);
    // Not for…of, which makes an iterator for each event; and a time is read once for all who want the same.
    for (let i = 0; i < sinks.length; i += 1) {
      const sink = sinks[i]!;
      if (this.#origin.offset < segment.from[sink.index]!) continue;
      const times = sinkTimes[sink.index]!;
      const filedAt = (times === eventTime ? time : times.of(buffer)) ?? this.#deps.now();
      sink.target.append(tag, filedAt, buffer, start, end, this.#origin);
    }
  }

  /** Lines that are no events have no time of their own: they go by their arrival. */
  #unparsable(segment: Segment, buffer: Buffer, start: number, end: number, reason: string): void {
    this.#origin.unparsed = reason;
    for (const sink of this.#sinksFor(this.#unparsedTag, segment)) {
      if (this.#origin.offset < segment.from[sink.index]!) continue;
      sink.target.append(this.#unparsedTag, this.#deps.now(), buffer, start, end, this.#origin);
    }
  }

  #sinksFor(tag: string, segment: Segment): readonly EventSink[] {
    const sinks = this.#deps.router.sinksFor(tag);
    if (sinks.length === 0 && !segment.isRepeat) {
      const isFirst = !this.#warnedTags.has(tag) && this.#warnedTags.size < MAX_WARNED_TAGS;
      if (isFirst) this.#warnedTags.add(tag);
      this.#deps.occurrences.unrouted(tag, isFirst);
    }
    return sinks;
  }
}

function noCounts() {
  return { events: 0, bytes: 0, blank: 0, other: 0, text: 0 };
}
