import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { ActiveSegments, OpenSegment } from './active-segments.ts';
import type { GapKeeper } from './gap-keeper.ts';
import { damageOf } from './gzip-file.ts';
import { readHead } from './head.ts';
import { findResumePoint } from './resume-point.ts';

interface ChangeResolverDeps {
  readonly active: ActiveSegments;
  readonly gaps: GapKeeper;
  readonly records: SegmentRecords;
  readonly occurrences: SourceOccurrences;
  readonly commit: () => Promise<void>;
  readonly requestCommit: () => void;
  readonly now: () => number;
}

/** Decides what became of an open file whose content is not the one that was read from it. */
export class ChangeResolver {
  readonly #deps: ChangeResolverDeps;

  constructor(deps: ChangeResolverDeps) {
    this.#deps = deps;
  }

  /**
   * Another beginning: the file was truncated or replaced. Its segment is let go, and a sweep has to look for where it
   * is now (`released`). The same beginning: it lost its end, and is read on where it differs (`kept`).
   */
  async resolve(segment: OpenSegment): Promise<'released' | 'kept'> {
    await this.#deps.commit();
    const isSame = (await readHead(segment.file, { complete: true }))?.hash === segment.head;
    if (!isSame) return this.#release(segment);
    const damage = await damageOf(segment.file);
    if (damage === undefined) await this.#goBack(segment);
    else this.giveUpRest(segment, damage);
    return 'kept';
  }

  /** A damaged gzip part was read as far as it inflates. */
  giveUpRest(segment: OpenSegment, damage: string): void {
    this.#deps.gaps.tellDamage(segment, damage);
    // What its original was once seen to hold is nowhere to be read: a finished segment must not seem to lack it.
    segment.sizeSeen = segment.position;
    segment.finished = true;
    this.#deps.requestCommit();
  }

  async #release(segment: OpenSegment): Promise<'released'> {
    const { active, occurrences, now } = this.#deps;
    const known = active.knownOf(segment);
    const { position, sizeSeen } = segment;
    occurrences.truncated(segment.path, position);
    known.row = { ...known.row, sizeSeen };
    known.missingSince = now();
    known.lostHow = 'truncated';
    await active.release(known);
    return 'released';
  }

  async #goBack(segment: OpenSegment): Promise<void> {
    const { active, gaps, records, occurrences } = this.#deps;
    const { position, sizeSeen } = segment;
    const resume = await findResumePoint(segment.file, records.anchors(segment.id));
    if (sizeSeen > position) gaps.tellRest(segment, sizeSeen, 'the file was cut back before it was read to its end');
    records.cutBack(segment.id, resume.offset, resume.anchor);
    active.cutBack(segment, resume.offset);
    segment.sizeSeen = (await segment.file.stat()).size;
    occurrences.cutBack(segment.path, position, resume.offset);
  }
}
