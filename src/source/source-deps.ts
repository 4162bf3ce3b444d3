import type { GapRecords } from '../checkpoint/gap-records.ts';
import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { LineHandler } from './line-handler.ts';
import type { Segment } from './segment.ts';
import type { SinkPlace } from './sink-place.ts';

/** What a source is given to work with. */
export interface SourceDeps {
  readonly records: SegmentRecords;
  readonly gaps: GapRecords;
  readonly occurrences: SourceOccurrences;
  readonly handler: LineHandler;
  /** Their order is that of `Segment.from`. */
  readonly sinks: readonly SinkPlace[];
  /** What the same source of an agent before had open when it ended: this one goes on with it. */
  readonly held?: readonly Segment[];
  /** Makes everything that was read so far durable. Called between two steps only. */
  readonly commit: () => Promise<void>;
  /** Asks for a commit soon: a rotated segment was read to its end, and its file may be pruned next. */
  readonly requestCommit: () => void;
  /** Milliseconds since the epoch: the time of the day, as files have it. */
  readonly now: () => number;
  /** Milliseconds that passed, for waits: no step of the clock changes them. */
  readonly elapsed: () => number;
}
