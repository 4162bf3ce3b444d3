import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import { JoinedLines } from './joined-lines.ts';

/** One JSON array of events (RFC 8259). */
export function jsonArray(parts: FormatParts): Format {
  return new JoinedLines(parts, { contentType: 'application/json', before: '[', between: ',', after: ']' });
}
