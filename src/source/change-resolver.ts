import type { Anchor, SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { ActiveSegments, OpenSegment } from './active-segments.ts';
import { goneFrom, lineStart } from './dropped.ts';
import type { GapKeeper } from './gap-keeper.ts';
import { damageOf } from './gzip-file.ts';
import type { ReadTroubles } from './read-troubles.ts';
import { findResumePoint } from './resume-point.ts';
import { beginsAsSeen, hasWhatWasRead } from './segment-reader.ts';
import type { SinkPlace } from './sink-place.ts';

interface ChangeResolverDeps {
  readonly active: ActiveSegments;
  readonly gaps: GapKeeper;
  readonly records: SegmentRecords;
  readonly sinks: readonly SinkPlace[];
  readonly occurrences: SourceOccurrences;
  readonly troubles: ReadTroubles;
  readonly commit: () => Promise<void>;
  readonly requestCommit: () => void;
  readonly elapsed: () => number;
}

/** Decides what became of an open file whose content is not the one that was read from it. */
export class ChangeResolver {
  readonly #deps: ChangeResolverDeps;

  constructor(deps: ChangeResolverDeps) {
    this.#deps = deps;
  }

  /**
   * Another beginning: the file was truncated or replaced. Its segment is let go, and a sweep has to look for where it
   * is now (`released`). The same beginning: it lost its end, and is read on where it differs (`kept`). Where the file
   * cannot be read that is told, and nothing is changed (`unreadable`).
   */
  async resolve(segment: OpenSegment): Promise<'released' | 'kept' | 'unreadable'> {
    await this.#deps.commit();
    try {
      if (!(await beginsAsSeen(segment))) return await this.#release(segment);
      const damage = await damageOf(segment.file);
      if (damage !== undefined) this.giveUpRest(segment, damage);
      else if (await hasWhatWasRead(segment)) await this.#tellEnd(segment);
      else await this.#goBack(segment);
      return 'kept';
    } catch (error) {
      this.#deps.troubles.tellReadError(segment.path, error);
      return 'unreadable';
    }
  }

  /** A damaged gzip part was read as far as it inflates. */
  giveUpRest(segment: OpenSegment, damage: string): void {
    this.#deps.gaps.tellDamage(segment, damage);
    // What its original was once seen to hold is nowhere to be read: a finished segment must not seem to lack it.
    segment.giveUpRest();
    this.#deps.requestCommit();
  }

  /** Read to its end, a file lacks what its content was seen to have: it is a copy of one that went on meanwhile. */
  tellLackedEnd(segment: OpenSegment): void {
    const { position, sizeSeen } = segment;
    if (sizeSeen <= position) return;
    this.#deps.gaps.tellShrunk(segment, position, 'the file ends before what was seen of it');
    segment.sizeSeen = position;
  }

  async #release(segment: OpenSegment): Promise<'released'> {
    const { active, occurrences, elapsed } = this.#deps;
    const known = active.knownOf(segment);
    const { position, sizeSeen } = segment;
    occurrences.truncated(segment.path, position);
    // Also one that was finished before, and is read once more for a sink that lacks its end.
    known.row = { ...known.row, sizeSeen, finished: false };
    known.missingSince = elapsed();
    known.lostHow = 'truncated';
    await active.release(known);
    return 'released';
  }

  /** The file lost what was behind the position: seen and not read, or read and dropped by a rewind. */
  async #tellEnd(segment: OpenSegment): Promise<void> {
    const { active, gaps, records, sinks } = this.#deps;
    const { file, position, dropped, sizeSeen } = segment;
    const { size } = await file.stat();
    const gone = dropped && (await goneFrom(dropped, { file, size, position }));
    const shrunkTo = segment.shrunkTo(size);
    const from = gone ?? (shrunkTo === undefined ? undefined : await lineStart(file, shrunkTo, position));
    if (from === undefined) return;
    // Sinks at their own pace that were handed what is gone have it; other lines stand there now.
    records.cutBack(segment.id, from);
    // Without file sinks nothing before the position is lacked.
    const start = sinks.some(({ pace }) => pace === undefined) ? from : Math.max(from, position);
    const before = gone === undefined ? 'it was read to its end' : 'what was read of it was committed';
    if (start < sizeSeen) gaps.tellShrunk(segment, start, `the file was cut back before ${before}`);
    active.cutBack(segment, from);
    if (gone !== undefined) segment.dropped = undefined;
    segment.beginsAnewAt(size);
  }

  async #goBack(segment: OpenSegment): Promise<void> {
    const { active, gaps, records, occurrences } = this.#deps;
    const { position, sizeSeen } = segment;
    const anchors = records.anchors(segment.id);
    const resume = await findResumePoint(segment.file, anchors);
    const { size } = await segment.file.stat();
    if (segment.file.gzip && isBeginning(resume.offset, size, anchors))
      return this.giveUpRest(segment, 'it has less content than was read of it');
    if (sizeSeen > position) gaps.tellRest(segment, sizeSeen, 'the file was cut back before it was read to its end');
    gaps.tellCutOff(segment, resume.offset);
    records.cutBack(segment.id, resume.offset, resume.anchor);
    active.cutBack(segment, resume.offset);
    segment.dropped = undefined;
    segment.beginsAnewAt(size);
    occurrences.cutBack(segment.path, position, resume.offset);
  }
}

/**
 * Whether a part that is shorter than what was read of it is the beginning of that, compressed before its writer was done: each
 * anchor within it holds, and the lines behind the last one cannot be compared. Those are known of a file that was live, which
 * may have lost its end and gone on with others.
 */
function isBeginning(resumeAt: number, size: number, anchors: readonly Anchor[]): boolean {
  const next = anchors.findIndex(({ offset }) => offset > size);
  return next >= 0 && anchors[next]!.lines === undefined && resumeAt === (anchors[next - 1]?.offset ?? 0);
}
