import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import { JoinedLines } from './joined-lines.ts';

/** One event a line, each with its newline: https://github.com/ndjson/ndjson-spec, sections 3.1 and 3.3. */
export function ndjson(parts: FormatParts): Format {
  return new JoinedLines(parts, { contentType: 'application/x-ndjson', before: '', between: '\n', after: '\n' });
}
