/** What a container's runtime writes of what the container wrote: a line, or a part of one. */
export interface Part {
  readonly text: string;
  readonly isPartial?: boolean;
  readonly stream?: 'stdout' | 'stderr';
  /** Epoch milliseconds. */
  readonly timeMs?: number;
}

const DEFAULT_TIME = Date.UTC(2026, 10, 20, 15, 4, 5);

/** As containerd writes it, with its newline. */
export function criPart({ text, isPartial = false, stream = 'stdout', timeMs = DEFAULT_TIME }: Part): string {
  return `${nanoseconds(timeMs)} ${stream} ${isPartial ? 'P' : 'F'} ${text}\n`;
}

/** As Docker's json-file driver writes it: its encoder escapes what would be markup in HTML. */
export function dockerPart({ text, isPartial = false, stream = 'stdout', timeMs = DEFAULT_TIME }: Part): string {
  const line = JSON.stringify({ log: isPartial ? text : `${text}\n`, stream, time: nanoseconds(timeMs) });
  return `${line.replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)}\n`;
}

function nanoseconds(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('Z', '456789Z');
}
