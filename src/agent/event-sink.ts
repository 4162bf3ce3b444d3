import type { FileSinkConfig, HttpSinkConfig, SinkConfig } from '../config/types.ts';
import type { FileArchive } from '../sink/file/file-archive.ts';
import type { HttpSink } from '../sink/http/http-sink.ts';
import type { LineOrigin } from '../sink/http/line-origin.ts';
import type { HttpOccurrences } from '../telemetry/http-occurrences.ts';

/** A sink in a running agent. */
export interface EventSink {
  /** Its place in `Segment.from`. */
  readonly index: number;
  readonly config: SinkConfig;
  readonly target: EventTarget;
}

/** Where a sink's lines go. */
export interface EventTarget {
  /** Takes the line [start, end) of the buffer, which is reused after the call, as the origin is. */
  append(tag: string, time: number, buffer: Buffer, start: number, end: number, origin: LineOrigin): void;
  /** Begins a line of `length` bytes that comes in pieces. */
  beginLong(tag: string, time: number, origin: LineOrigin, length: number): Promise<LongLineTarget>;
}

export interface LongLineTarget {
  /** Where a promise comes back, wait for it before the next piece. */
  write(buffer: Buffer, start: number, end: number): void | Promise<void>;
  end(): void;
}

/** Takes everything that is read, with each commit. */
export interface FileSink extends EventSink {
  readonly config: FileSinkConfig;
  readonly target: FileArchive;
}

/** Takes at its own pace. */
export interface HttpEventSink extends EventSink {
  readonly config: HttpSinkConfig;
  readonly target: HttpSink;
  readonly occurrences: HttpOccurrences;
}
