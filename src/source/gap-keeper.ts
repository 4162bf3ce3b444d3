import path from 'node:path';
import type { Gap, GapRecords } from '../checkpoint/gap-records.ts';
import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { ActiveSegments } from './active-segments.ts';
import { gapRange } from './gap-range.ts';
import type { Identified } from './identify.ts';
import type { Known, KnownSegments } from './known-segments.ts';
import { LackedSegments } from './lacked-segments.ts';
import type { Segment } from './segment.ts';
import type { SinkPace, SinkPlace } from './sink-place.ts';

interface GapKeeperDeps {
  readonly source: string;
  readonly known: KnownSegments;
  readonly active: ActiveSegments;
  readonly records: SegmentRecords;
  readonly gaps: GapRecords;
  readonly occurrences: SourceOccurrences;
  readonly sinks: readonly SinkPlace[];
  readonly now: () => number;
}

/** Tells what vanished unread: durably, in the log and in the metrics. */
export class GapKeeper {
  /** Gaps told in this run. */
  told = 0;
  readonly #deps: GapKeeperDeps;
  /** Finished segments of which a sink at its own pace lacked the end when the agent started. */
  readonly #lacking: LackedSegments;

  constructor(deps: GapKeeperDeps) {
    this.#deps = deps;
    this.#lacking = new LackedSegments(deps);
  }

  /** @param options.finish the segment ends with this gap. */
  tell(known: Known, gap: Gap, options: { finish: boolean } = { finish: false }): void {
    this.told += 1;
    this.#deps.gaps.add(known.stream.id, gap, this.#deps.now(), options.finish ? known.id : undefined);
    if (options.finish) known.row = { ...known.row, finished: true };
    this.#deps.occurrences.gap(known.stream.path, gap);
  }

  /** The end of a gzip part cannot be read. Its beginning may be read again after a crash, but the gap is told once. */
  tellDamage(segment: Segment, damage: string): void {
    const gap = restOf(segment, undefined, `the gzip part is damaged: ${damage}`);
    if (!this.#deps.gaps.has(segment.stream, gap)) this.tell(this.#deps.active.knownOf(segment), gap);
  }

  /** What is left of a segment that is being read. */
  tellRest(segment: Segment, end: number | undefined, reason: string, options?: { finish: boolean }): void {
    this.tell(this.#deps.active.knownOf(segment), restOf(segment, end, reason), options);
  }

  /** What a sink at its own pace was still to get is not in the file any more, or is given up: it goes on behind that. */
  tellLostFor(
    segment: Segment,
    sink: { name: string; from: number; pace: SinkPace },
    reason = 'the file changed',
  ): void {
    const { path: place, position, lastTime, firstTime } = segment;
    this.tell(this.#deps.active.knownOf(segment), {
      path: place,
      startOffset: sink.from,
      endOffset: position,
      beforeTime: firstTime,
      afterTime: lastTime,
      reason: `${reason} before the sink ${sink.name} had got it; other sinks have it`,
    });
    sink.pace.ledger.handed(segment.id, position);
    this.#deps.records.setOffset(segment.id, sink.name, position);
  }

  /**
   * Unread segments that are nowhere to be found are gaps, once they have been missing for `patienceMs`: a rotation
   * may be about to bring them back under another name. Gives the number of those that are still waited for.
   */
  resolveMissing(identified: readonly Identified[], patienceMs: number): number {
    const { known: all, active, records, now } = this.#deps;
    const found = new Set<unknown>();
    for (const { identity } of identified) {
      if (identity.kind === 'known') found.add(identity.known);
      if (identity.kind === 'unready' || identity.kind === 'new') found.add(identity.head);
    }
    let waiting = this.#lacking.resolve(found, patienceMs, (known, gap) => this.tell(known, gap));
    for (const known of all) {
      if (known.row.finished || known.segment !== undefined || found.has(known) || found.has(known.head)) continue;
      known.missingSince ??= now();
      if (now() - known.missingSince < patienceMs) {
        waiting += 1;
        continue;
      }
      const { path: place, row, lostHow: how } = known;
      const position = Math.min(...active.offsets(known));
      const lost = { path: place, position, sizeSeen: row.sizeSeen, lastTime: row.lastTime, how };
      const gap = gapRange(lost, path.basename(place), timeAfter(known, all));
      if (gap !== undefined) {
        this.tell(known, gap, { finish: true });
      } else {
        records.finish(known.id);
        known.row = { ...row, finished: true };
      }
    }
    return waiting;
  }

  /** Lets go of deleted segments, the oldest first, while they hold more unread bytes than `limit`. */
  async limitHeldBytes(limit: number, commit: () => Promise<void>): Promise<void> {
    const { active } = this.#deps;
    const deleted = active.all().filter(({ links, live, unread }) => links === 0 && !live && unread > 0);
    let held = deleted.reduce((sum, segment) => sum + segment.unread, 0);
    for (const segment of deleted) {
      if (held <= limit) return;
      await commit();
      held -= segment.unread;
      const reason = 'more deleted but unread bytes than held_bytes allows';
      for (const { name, pace } of this.#deps.sinks) {
        const from = pace?.ledger.handedTo(segment.id) ?? segment.position;
        if (pace !== undefined && from < segment.position) this.tellLostFor(segment, { name, from, pace }, reason);
      }
      if (segment.sizeSeen > segment.position || !segment.finished) {
        this.tellRest(segment, segment.sizeSeen, reason, { finish: true });
      }
      await active.release(active.knownOf(segment));
    }
  }
}

function restOf({ path: place, position, lastTime }: Segment, end: number | undefined, reason: string): Gap {
  return { path: place, startOffset: position, endOffset: end, beforeTime: lastTime, afterTime: undefined, reason };
}

/** Time of the first event after the lost ones, as far as it is known: what came after them may be read already. */
function timeAfter(lost: Known, all: Iterable<Known>): number | undefined {
  let after: number | undefined;
  for (const { stream, row } of all) {
    const { firstTime: time } = row;
    if (stream !== lost.stream || time === undefined || time < (lost.row.lastTime ?? 0) || row === lost.row) continue;
    if (after === undefined || time < after) after = time;
  }
  return after;
}
