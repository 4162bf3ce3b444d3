import type { Line, Part, Place } from '../log-model.ts';
import type { Timeline } from '../timeline.ts';
import type { Violations } from './violation.ts';

/** A gap as `auditail offsets list --json` prints it. */
export interface ToldGap {
  readonly path: string;
  readonly from_offset: number;
  /** Null: nobody can know. */
  readonly to_offset: number | null;
  readonly after_event: string | null;
  readonly reason: string;
}

/** So long at work, and the agent must have seen what there was: a sweep takes place five times a second. */
const SURELY_SEEN_MS = 3000;

/** Why a line may be missing that was written. */
export class Losses {
  readonly #gaps: readonly ToldGap[];
  readonly #timeline: Timeline;
  readonly #parts: readonly Part[];
  /** A file and its copies are one segment: all their paths, by the time of their first event. */
  readonly #paths = new Map<number, Set<string>>();

  constructor(gaps: readonly ToldGap[], timeline: Timeline, parts: readonly Part[]) {
    this.#gaps = gaps;
    this.#timeline = timeline;
    this.#parts = parts;
    for (const { firstTime, paths } of parts) {
      if (firstTime === undefined) continue;
      const family = this.#paths.get(firstTime) ?? new Set();
      // Whoever gzips a part had it under its plain name before, for a moment.
      for (const path of paths) family.add(path).add(path.replace(/\.gz$/, ''));
      this.#paths.set(firstTime, family);
    }
  }

  /**
   * Why a line may be lost to everybody, or with `sink` to that sink alone; undefined where it may not.
   *
   * It may when it stands nowhere any more, and either a gap tells of its bytes, or they were gone before the agent could
   * see them.
   */
  excuse(line: Line, sink?: string): 'gap' | 'unseen' | undefined {
    if (line.places.some(({ loss }) => loss === undefined)) return undefined;
    if (line.places.some((place) => this.#isTold(place, sink))) return 'gap';
    return sink === undefined && line.places.every((place) => this.#isUnseen(line, place)) ? 'unseen' : undefined;
  }

  /** Each gap is of bytes that are gone. */
  checkGaps(violations: Violations): void {
    for (const gap of this.#gaps) {
      const isTrue = this.#parts.some(
        (part) =>
          this.#isOf(gap, part) &&
          ((gap.to_offset === null && part.loss !== undefined) || part.places.some((place) => touches(gap, place))),
      );
      if (!isTrue) violations.add('gaps', `told, and nothing of it is gone: ${JSON.stringify(gap)}`);
    }
  }

  #isTold(place: Place, sink: string | undefined): boolean {
    return this.#gaps.some((gap) => {
      const name = sinkOf(gap);
      if (name !== undefined && name !== sink) return false;
      return this.#isOf(gap, place.part) && gap.from_offset <= place.start && place.end <= (gap.to_offset ?? Infinity);
    });
  }

  /** The path, and the time of an event in the file, which no other file has but its copies. */
  #isOf(gap: ToldGap, part: Part): boolean {
    const { id, key, paths, firstTime } = part;
    if (gap.after_event !== null && !this.#isTimeOf(Date.parse(gap.after_event), part)) return false;
    const known = (firstTime !== undefined && this.#paths.get(firstTime)) || paths;
    if (known.has(gap.path)) return true;
    // Emptied, it may have got another name before the agent could look into it.
    return this.#parts.some((later) => later.key === key && later.id > id && later.paths.has(gap.path));
  }

  /** Without an event, or seen before it had one, a file has the time of its last change, which is that of no event. */
  #isTimeOf(time: number, { times, beginsUntimed }: Part): boolean {
    if (times.has(time) || times.size === 0) return true;
    return beginsUntimed && !this.#parts.some((other) => other.times.has(time));
  }

  #isUnseen(line: Line, { part, end, loss }: Place): boolean {
    if (this.#timeline.awakeMs(line.writtenAtMs, loss!.atMs) > SURELY_SEEN_MS) return false;
    if (part.seenInLife === undefined) return true;
    const isLinkGone = loss!.how === 'deleted' || loss!.how === 'hidden';
    const holder = isLinkGone ? part.heldInLife : undefined;
    // What it holds open it reads to the end, unless it is killed before.
    if (holder !== undefined && this.#timeline.awakeInLifeAfter(holder, loss!.atMs) > SURELY_SEEN_MS) return false;
    return end > (isLinkGone ? Math.max(part.seenSize, loss!.seenSize) : loss!.seenSize);
  }
}

/** The sink that alone has lost something; undefined where all have. */
function sinkOf({ reason }: ToldGap): string | undefined {
  return /before the sink (\S+) had got it/.exec(reason)?.[1];
}

function touches(gap: ToldGap, { start, end, loss }: Place): boolean {
  return loss !== undefined && end > gap.from_offset && start < (gap.to_offset ?? Infinity);
}
