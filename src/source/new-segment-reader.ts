import type { SourceConfig } from '../config/types.ts';
import { LineFraming } from './line-framing.ts';
import type { LineHandler } from './line-handler.ts';
import { SegmentReader } from './segment-reader.ts';
import { UnitFraming } from './unit-framing.ts';

/** A reader for the source's format. */
export function newSegmentReader(
  { format, stream = 'stdout', maxLineBytes }: Pick<SourceConfig, 'format' | 'stream' | 'maxLineBytes'>,
  handler: LineHandler,
): SegmentReader {
  const framing =
    format === 'json'
      ? new LineFraming(handler, maxLineBytes)
      : new UnitFraming(handler, { maxLineBytes, format, stream });
  return new SegmentReader(handler, maxLineBytes, framing);
}
