/**
 * What stands for a line that is no event, as one JSON object on one line.
 *
 * @param reason why it is none.
 */
export function wrapUnparsed(line: Buffer, reason: string): Buffer {
  return Buffer.from(JSON.stringify({ message: line.toString('utf8'), reason }));
}

/** A line that is too long to be sent, while its pieces pass. */
export interface LongLine {
  write(): Promise<void>;
  end(): void;
}

/** Nothing is kept of its pieces. */
export function longLine(end: () => void): LongLine {
  return { write: async () => undefined, end };
}

/** What stands for a line that is too long to be sent: where it is to be found. Offset and length are in bytes. */
export function oversizeStub(place: { path: string; offset: number; length: number }): Buffer {
  const { path, offset, length } = place;
  const reason = 'the line is longer than max_line_bytes';
  return Buffer.from(JSON.stringify({ message: '', reason, file: path, offset, length }));
}
