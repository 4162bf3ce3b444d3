/** A process at rest: everything was read, delivered and stored, so that one such moment is like another. */
export interface QuietPoint {
  readonly atMs: number;
  readonly residentBytes: number;
  /** Descriptors beyond those that the status explains. */
  readonly otherDescriptors: number;
}

/** One process between the middle and the end of its life. */
export interface Growth {
  readonly what: string;
  readonly before: number;
  readonly after: number;
  readonly limit: number;
}

/** A third needs so many points for the least of them to mean something. */
const POINTS_OF_A_THIRD = 6;

/**
 * The same for memory: V8 lets some 70 MB of buffers lie before it collects, which is the work of eighteen points. A third
 * that no collection is in says nothing.
 */
const POINTS_OF_A_THIRD_FOR_MEMORY = 20;

/** A life that was at rest for less than this says nothing about growth. */
const LEAST_SPAN_MS = 4000;

const MIB = 1024 * 1024;

/**
 * Allowed between the least of two thirds: a heap fills until it is collected, and what it never falls below is what is kept.
 * At rest that was seen to grow by 1 to 3 MiB in a round, and by 10 where the process had just begun; a connection to each
 * receiver may come and go.
 */
const MORE_RESIDENT_SHARE = 0.05;
const MORE_RESIDENT_BYTES = 12 * MIB;
const MORE_DESCRIPTORS = 4;

/** What grows does so within the last third too: by this part of what is allowed between two thirds. */
const STILL_GROWING_SHARE = 0.25;

/**
 * What grew between the second and the last third of a process's quiet points, in the order of their times; undefined
 * where it lived too short to tell. The first third is left out: there caches fill, and connections are made. Memory is judged
 * of longer lives only.
 */
export function growthOf(points: readonly QuietPoint[]): Growth[] | undefined {
  const third = Math.floor(points.length / 3);
  const span = (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0);
  if (third < POINTS_OF_A_THIRD || span < LEAST_SPAN_MS) return undefined;
  const compare = (what: string, value: (point: QuietPoint) => number, more: (before: number) => number): Growth => {
    const least = (from: number, to?: number): number => Math.min(...points.slice(from, to).map(value));
    const before = least(-2 * third, -third);
    const allowed = more(before);
    // One that became larger once and stays so does not grow: V8 enlarges the space of young objects in such steps.
    const half = Math.floor(third / 2);
    const goesOn = least(-half) - least(-third, -half) > allowed * STILL_GROWING_SHARE;
    return { what, before, after: goesOn ? least(-third) : before, limit: before + allowed };
  };
  const memory = compare(
    'bytes of resident memory',
    ({ residentBytes }) => residentBytes,
    (before) => before * MORE_RESIDENT_SHARE + MORE_RESIDENT_BYTES,
  );
  const descriptors = compare(
    'descriptors beyond those of logs and archives',
    ({ otherDescriptors }) => otherDescriptors,
    () => MORE_DESCRIPTORS,
  );
  const judged = third < POINTS_OF_A_THIRD_FOR_MEMORY ? [descriptors] : [memory, descriptors];
  return judged.filter(({ after, limit }) => after > limit);
}
