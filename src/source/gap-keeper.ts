import path from 'node:path';
import type { Gap } from '../checkpoint/gap-records.ts';
import type { ActiveSegments } from './active-segments.ts';
import { gapRange, lostFor } from './gap-range.ts';
import type { Identified } from './identify.ts';
import type { Known, KnownSegments } from './known-segments.ts';
import { LackedSegments } from './lacked-segments.ts';
import type { Segment } from './segment.ts';
import type { LackingSink } from './sink-place.ts';
import type { SourceDeps } from './source-deps.ts';

interface GapKeeperDeps extends Omit<SourceDeps, 'handler'> {
  readonly source: string;
  readonly known: KnownSegments;
  readonly active: ActiveSegments;
}

const CHANGED = 'the file changed';
const VANISHED = 'the file was deleted or replaced';
const LET_GO = 'more deleted but unread bytes than held_bytes allows';

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

  /** @param options.finish the segment ends with this gap: where that begins, as far as anybody can get it. */
  tell(known: Known, gap: Gap, options: { finish: boolean } = { finish: false }): void {
    this.told += 1;
    this.#deps.gaps.add(known.stream.id, gap, this.#deps.now(), options.finish ? known.id : undefined);
    if (options.finish) known.row = { ...known.row, finished: true, sizeSeen: gap.startOffset };
    this.#deps.occurrences.gap(known.stream.path, gap);
  }

  /**
   * The end of a file is gone that was read and not committed, or only seen. It may be found so again, after the next
   * write to the state failed, but the gap is told once.
   */
  tellShrunk(segment: Segment, startOffset: number, reason: string): void {
    const { path: place, sizeSeen: endOffset } = segment;
    const known = this.#deps.active.knownOf(segment);
    // The last event that was read may be in the gap.
    const beforeTime = known.row.lastTime ?? known.row.firstTime;
    const gap = { path: place, startOffset, endOffset, beforeTime, afterTime: undefined, reason };
    if (!this.#deps.gaps.has(segment.stream, gap)) this.tell(known, gap);
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

  /** What a sink at its own pace was still to get is not in the file any more: it goes on behind that. */
  async tellLostFor(segment: Segment, sink: LackingSink): Promise<void> {
    // A commit under way would store the sink's old place over the new one.
    await this.#deps.commit();
    this.#tellLost(this.#deps.active.knownOf(segment), sink, CHANGED);
  }

  /** A log that is read lost what was behind `offset`: sinks at their own pace may not have got all of that. */
  tellCutOff(segment: Segment, offset: number): void {
    const known = this.#deps.active.knownOf(segment);
    for (const sink of this.#lackingSinks(known, segment.position)) {
      const from = Math.max(sink.from, offset);
      if (from < sink.to) this.tell(known, this.#lostFor(known, { ...sink, from }, 'the file was cut back'));
    }
  }

  /**
   * Unread segments that are nowhere to be found are gaps, once they have been missing for `patienceMs`: a rotation
   * may be about to bring them back under another name. Gives the number of those that are still waited for.
   */
  async resolveMissing(identified: readonly Identified[], patienceMs: number): Promise<number> {
    const { known: all, elapsed } = this.#deps;
    const found = new Set<unknown>();
    for (const { identity } of identified) {
      if (identity.kind === 'known') found.add(identity.known);
      if (identity.kind === 'unready' || identity.kind === 'new') found.add(identity.head);
    }
    let waiting = this.#lacking.resolve(found, patienceMs, (known, gap) => this.tell(known, gap));
    for (const known of all) {
      if (known.row.finished || known.segment !== undefined || found.has(known) || found.has(known.head)) continue;
      known.missingSince ??= elapsed();
      if (elapsed() - known.missingSince < patienceMs) {
        waiting += 1;
        continue;
      }
      await this.#tellVanished(known);
    }
    return waiting;
  }

  /** Lets go of deleted segments, the oldest first, while they hold more unread bytes than `limit`. */
  async limitHeldBytes(limit: number): Promise<void> {
    const { active, commit } = this.#deps;
    const deleted = active.all().filter(({ links, live, unread }) => links === 0 && !live && unread > 0);
    let held = deleted.reduce((sum, segment) => sum + segment.unread, 0);
    for (const segment of deleted) {
      if (held <= limit) return;
      await commit();
      held -= segment.unread;
      const known = active.knownOf(segment);
      if (segment.sizeSeen > segment.position || !segment.finished) {
        this.tellRest(segment, segment.sizeSeen, LET_GO, { finish: true });
      }
      for (const sink of this.#lackingSinks(known, segment.position)) this.#tellLost(known, sink, LET_GO);
      await this.#giveUp(known);
    }
  }

  async #tellVanished(known: Known): Promise<void> {
    const { known: all, active, records } = this.#deps;
    const { path: place, row, lostHow: how } = known;
    const position = active.positionOf(known);
    const { sizeSeen, mayGrow, lastTime } = row;
    const lost = { path: place, position, sizeSeen, mayGrow, lastTime, how };
    const gap = gapRange(lost, path.basename(place), timeAfter(known, all));
    if (gap === undefined) records.finish(known.id);
    else this.tell(known, gap, { finish: true });
    for (const sink of this.#lackingSinks(known, position)) this.#tellLost(known, sink, VANISHED);
    await this.#giveUp(known);
  }

  /** Sinks at their own pace that were not handed the segment up to `position`. */
  #lackingSinks(known: Known, position: number): LackingSink[] {
    const places = this.#deps.active.places(known);
    return this.#deps.sinks.flatMap(({ name, pace }, index) => {
      const from = places[index]!;
      return pace === undefined || from >= position ? [] : [{ name, pace, from, to: position }];
    });
  }

  #tellLost(known: Known, sink: LackingSink, reason: string): void {
    this.tell(known, this.#lostFor(known, sink, reason));
    sink.pace.ledger.handed(known.id, sink.to);
    this.#deps.records.setOffset(known.id, sink.name, sink.pace.ledger.takenTo(known.id)!);
  }

  #lostFor(known: Known, sink: LackingSink, reason: string): Gap {
    return lostFor(sink, known.segment ?? { ...known.row, path: known.path }, { reason, sinks: this.#deps.sinks });
  }

  async #giveUp(known: Known): Promise<void> {
    known.row = { ...known.row, finished: true };
    await this.#deps.active.giveUp(known);
    this.#deps.requestCommit();
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
