import type { SourceConfig } from '../../config/types.ts';
import { containerLine, streamBits } from '../../event/container-format.ts';
import { readFully, type SegmentFile } from '../../source/segment-file.ts';
import { lineStartBefore } from './line-edges.ts';

/**
 * The greatest offset up to `offset` at which no line that the container wrote is broken off: with `cri` and `docker` it
 * may be written in parts, and a place between two of them would be one in the middle of an event.
 *
 * Looks back for `max_line_bytes`, which no event that is taken as a whole is longer than.
 *
 * @param offset a line of the log begins there
 */
export async function unitStartBefore(file: SegmentFile, offset: number, source: SourceConfig): Promise<number> {
  if (source.format === 'json') return offset;
  const line = containerLine(source.format);
  const wanted = streamBits(source.stream ?? 'stdout');
  let found = offset;
  // Streams whose last line before `found` is known to be whole.
  let closed = 0;
  for (let end = offset; end > 0 && closed !== wanted && offset - end <= source.maxLineBytes; ) {
    const start = await lineStartBefore(file, end - 1);
    if (end - start > source.maxLineBytes) break;
    const content = Buffer.alloc(end - 1 - start);
    const length = await readFully(file, start, content, content.length);
    if (line.read(content, 0, length) && (line.stream & wanted & ~closed) !== 0) {
      closed = line.isPartial ? 0 : closed | line.stream;
      if (line.isPartial) found = start;
    }
    end = start;
  }
  return found;
}
