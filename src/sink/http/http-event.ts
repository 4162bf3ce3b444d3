/** An event on its way to a receiver. */
export interface HttpEvent {
  readonly tag: string;
  /** The event's own time, or that of its arrival, in milliseconds since the epoch. */
  readonly time: number;
  /** One JSON object on one line, without a newline: as it was read, or what stands for a line that is no event. */
  readonly line: Buffer;
  readonly source: string;
  /** The file that it was read from, under the name that it had then, and where its line begins in the content. */
  readonly path: string;
  readonly offset: number;
}
