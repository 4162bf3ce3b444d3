/** Bits, so that several streams are one number. */
export const STDOUT = 1;
export const STDERR = 2;

/**
 * Takes the wrapper off a line of a container's log. The results are those of the last line that was read; they point
 * into its buffer.
 *
 * The content is a range of bytes of the line. What it says may have fewer bytes: {@link decode} gives those.
 */
export interface ContainerLine {
  /** `STDOUT` or `STDERR`. */
  readonly stream: number;
  /** The container wrote more behind this before it ended its line. */
  readonly isPartial: boolean;
  readonly start: number;
  readonly end: number;
  /** What the content says is the content: nothing has to be decoded. */
  readonly isVerbatim: boolean;
  /** After `false`: where in the buffer the line stopped being one of such a log, and why. */
  readonly errorOffset: number;
  readonly errorReason: string;
  /** Whether [start, end) of `buffer` is a line of such a log. */
  read(buffer: Buffer, start: number, end: number): boolean;
  /** When the runtime wrote the line, in milliseconds since the epoch. */
  time(buffer: Buffer): number | undefined;
  /** Copies what the content [start, end) says into `target` at `at`, and gives where it ends there; never longer. */
  decode(buffer: Buffer, start: number, end: number, target: Buffer, at: number): number;
  /** Where in the content [start, end) byte `index` of what it says comes from. */
  place(buffer: Buffer, start: number, end: number, index: number): number;
}
