import type { SourceFormat } from '../config/types.ts';
import { containerLine } from '../event/container-format.ts';
import type { EventTimes } from '../source/line-handler.ts';
import type { EventReader } from './event-rules.ts';

/** Tells the times of lines of a format, which put files in order. */
export function lineTime(format: SourceFormat, reader: EventReader): EventTimes['eventTime'] {
  if (format === 'json') {
    const { scanner, eventTime } = reader;
    return (buffer, start, end) => {
      scanner.scan(buffer, start, end);
      return eventTime.of(buffer);
    };
  }
  // The first line of a file may be the end of an event, or none; but each says when it was written.
  const line = containerLine(format);
  return (buffer, start, end) => (line.read(buffer, start, end) ? line.time(buffer) : undefined);
}
